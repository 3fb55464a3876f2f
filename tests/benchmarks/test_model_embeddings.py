import numpy as np
import pytest

from benchmarks.model_embeddings import MISTAKEN, draw_table, draw_triplets, run, share_in_order, ways


@pytest.fixture(scope="module")
def drawn():
    return draw_table(4_000, 96, 0)


def test_rows_have_low_rank_classes_and_anisotropic_noise(drawn):
    table, classes = drawn
    centers = np.array([table[classes == each].mean(axis=0) for each in np.unique(classes)])
    between = np.linalg.svd(centers - centers.mean(axis=0), compute_uv=False)
    assert between[47] > 1.5 * between[48]
    within = np.linalg.svd(table - centers[classes], compute_uv=False)
    assert within[0] > 5 * within[-1]


def test_triplets_are_of_the_given_rows_and_some_are_swapped(drawn):
    _, classes = drawn
    rows = np.flatnonzero(classes % 3 == 0)
    triplets = draw_triplets(classes, rows, 4_000, np.random.default_rng(0))
    assert np.isin(triplets, rows).all()
    first, second, third = classes[triplets].T
    assert ((first == second) ^ (first == third)).all()
    assert np.mean(first == third) == pytest.approx(MISTAKEN, abs=0.03)
    assert (triplets[:, 0] != triplets[:, 1]).all()


def test_learning_hurts_unless_it_starts_at_the_identity_and_is_gentle(drawn):
    """The same kind of table as in the benchmark, but smaller."""
    table, classes = drawn
    rng = np.random.default_rng(0)
    train = draw_triplets(classes, np.flatnonzero(classes % 5 != 0), 400, rng)
    test = draw_triplets(classes, np.flatnonzero(classes % 5 == 0), 3_000, rng)
    common = {"preprocessor": table, "device": "cpu", "random_state": 0, "max_iter": 20}
    scores = {name: embedder.fit(train).score(test) for name, embedder in ways(96, **common).items()}
    network, *_, gentle = scores.values()
    raw = share_in_order(table, test)
    error = 0.5 / np.sqrt(3_000)
    assert network < raw - 2 * error
    assert gentle > raw - 2 * error


def test_figures():
    figures = list(run(quick=True))
    assert [figure.name.rpartition(": ")[2] for figure in figures] == [
        "raw columns",
        "standardized columns",
        *ways(4),
    ]
    assert all(0 < figure.value < 1 for figure in figures)
