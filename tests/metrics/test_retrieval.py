from collections import defaultdict
from fractions import Fraction
from itertools import pairwise, permutations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skmetric.metrics import _neighbors, map_at_r_score, recall_at_k_score


def recall_at_2_score(embeddings, labels, *, sample_weight=None):
    return recall_at_k_score(embeddings, labels, k=2, sample_weight=sample_weight)


def reference(embeddings, labels, *, k=None, weights=None):
    """The definitions, run by run: MAP@R, or Recall@k if k is given."""
    n = len(labels)
    total = weight_sum = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        runs = defaultdict(list)
        for j in others:
            distance = sum((a - b) ** 2 for a, b in zip(embeddings[i], embeddings[j], strict=True))
            runs[distance].append(labels[j] == labels[i])
        R = sum(labels[j] == labels[i] for j in others)
        if not R:
            continue
        ranked = [runs[distance] for distance in sorted(runs)]
        value = expected_average_precision(ranked, R) if k is None else expected_recall(ranked, k)
        weight = 1.0 if weights is None else weights[i]
        total += weight * value
        weight_sum += weight
    return total / weight_sum


def expected_average_precision(ranked, R):
    value, rank, above = 0.0, 0, 0
    for run in ranked:
        if rank >= R:
            break
        t, s = len(run), sum(run)
        for j in range(min(t, R - rank) if s else 0):
            value += s / t * (above + 1 + (j * (s - 1) / (t - 1) if t > 1 else 0)) / (rank + j + 1)
        rank, above = rank + t, above + s
    return value / R


def expected_recall(ranked, k):
    missed, left = 1.0, k
    for run in ranked:
        drawn = min(left, len(run))
        missed *= comb(len(run) - sum(run), drawn) / comb(len(run), drawn)
        left -= drawn
    return 1 - missed


def over_all_orders(embeddings, labels, *, k=None):
    """The mean over all orders of tied rows, order by order and in fractions, if all orders are equally likely."""
    values = []
    for i, own in enumerate(labels):
        others = [j for j in range(len(labels)) if j != i]
        R = sum(labels[j] == own for j in others)
        if not R:
            continue
        distances = {j: sum((a - b) ** 2 for a, b in zip(embeddings[i], embeddings[j], strict=True)) for j in others}
        orders = [
            [labels[j] == own for j in order]
            for order in permutations(others)
            if all(distances[a] <= distances[b] for a, b in pairwise(order))
        ]
        if k is None:
            each = [
                sum(Fraction(sum(order[: rank + 1]), rank + 1) for rank in range(R) if order[rank]) / R
                for order in orders
            ]
        else:
            each = [Fraction(any(order[:k])) for order in orders]
        values.append(sum(each) / len(each))
    return float(sum(values) / len(values))


def table(seed, n=60, d=3, n_classes=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.integers(0, n_classes, size=n)


# Values by hand


@pytest.mark.filterwarnings("ignore:labels must have at least two classes")
@pytest.mark.parametrize(
    ("embeddings", "labels", "map_at_r", "recall_at_1"),
    [
        # Two clean classes.
        ([0, 1, 10, 11], "aabb", 1.0, 1.0),
        # The nearest row of each row is of the other class, and R = 1.
        ([0, 10, 1, 11], "aabb", 0.0, 0.0),
        # R = 2. Row 0: a, b -> 1/2. Row 1: a, b -> 1/2. Row 2: b, a -> 1/4. Row 3 is alone.
        ([0, 1, 3, 2.5], "aaab", 5 / 12, 2 / 3),
        # R = 3. Row 0: a x a -> (1 + 2/3) / 3. Row 1 (at 1): x a a -> (1/2 + 2/3) / 3. Rows 2 and 3: as row 0.
        ([0, 1, 3, 4, 1.75], "aaaax", (3 * 5 / 9 + 7 / 18) / 4, 0.75),
        # Two rows of one class, at any distance.
        ([-5, 5], "aa", 1.0, 1.0),
        ([3, 3], "aa", 1.0, 1.0),
        # One class of three.
        ([0, 5, 7], "aaa", 1.0, 1.0),
    ],
)
def test_values_by_hand(embeddings, labels, map_at_r, recall_at_1):
    embeddings = np.array(embeddings, dtype=float)[:, np.newaxis]
    assert map_at_r_score(embeddings, list(labels)) == pytest.approx(map_at_r, rel=1e-15)
    assert recall_at_k_score(embeddings, list(labels), k=1) == pytest.approx(recall_at_1, rel=1e-15)


def test_tied_rows_have_the_mean_over_their_orders():
    # Rows 1 and 2 are at the same distance from row 0, and one of them is of its class.
    embeddings = [[0.0], [1.0], [-1.0], [50.0]]
    only_row_0 = [1, 0, 0, 0]
    for labels in ("aabb", "abab"):
        assert map_at_r_score(embeddings, list(labels), sample_weight=only_row_0) == 0.5
        assert recall_at_k_score(embeddings, list(labels), k=1, sample_weight=only_row_0) == 0.5


@pytest.mark.filterwarnings("ignore:labels must have at least two classes")
@pytest.mark.parametrize("seed", range(40))
def test_matches_an_enumeration_of_all_orders(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 8))
    embeddings, labels = rng.integers(0, 2, size=(n, 2)).tolist(), [0, 0, *rng.integers(0, 2, size=n - 2).tolist()]
    assert map_at_r_score(embeddings, labels) == pytest.approx(over_all_orders(embeddings, labels), rel=1e-14)
    for k in (1, 2, n - 1):
        expected = over_all_orders(embeddings, labels, k=k)
        assert recall_at_k_score(embeddings, labels, k=k) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("n", [200, 3_000])
def test_a_constant_embedding_scores_the_same_in_any_file_order(n):
    labels = np.arange(n) * 2 // n
    shuffled = np.random.default_rng(0).permutation(labels)
    # R of n - 1 tied rows are relevant. The first relevant row at rank j is preceded by (j - 1)(R - 1)/(n - 2).
    R, rank = n // 2 - 1, np.arange(1, n // 2)
    expected = (R / (n - 1) * (1 + (rank - 1) * (R - 1) / (n - 2)) / rank).mean()
    for order in (labels, labels[::-1], shuffled):
        assert map_at_r_score(np.full((n, 2), 0.1), order) == pytest.approx(expected, rel=1e-13)
        assert recall_at_k_score(np.full((n, 2), 0.1), order, k=1) == pytest.approx(R / (n - 1), rel=1e-14)


def test_a_row_is_left_out_by_position_and_its_duplicates_are_not():
    embeddings = [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    assert map_at_r_score(embeddings, [0, 0, 1, 1]) == 1.0
    # The nearest row of each row is its duplicate, which is of the other class.
    assert map_at_r_score(embeddings, [0, 1, 0, 1]) == 0.0
    assert recall_at_k_score(embeddings, [0, 1, 0, 1], k=1) == 0.0


def test_perfect_is_exactly_one():
    labels = np.repeat(np.arange(3), [2, 50, 99])
    weights = np.random.default_rng(0).uniform(0.1, 1, size=len(labels))
    embeddings = labels[:, np.newaxis] + np.random.default_rng(1).uniform(0, 0.1, size=(len(labels), 2))
    assert map_at_r_score(embeddings, labels, sample_weight=weights) == 1.0
    assert recall_at_k_score(embeddings, labels, k=1, sample_weight=weights) == 1.0


# Against the plain loops


@pytest.mark.filterwarnings("ignore:labels must have at least two classes")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [1, 2, 6, 40])
def test_matches_reference(seed, n_classes):
    embeddings, labels = table(seed, n_classes=n_classes)
    assert map_at_r_score(embeddings, labels) == pytest.approx(reference(embeddings, labels), rel=1e-13)
    for k in (1, 3, 59):
        assert recall_at_k_score(embeddings, labels, k=k) == pytest.approx(reference(embeddings, labels, k=k))


@pytest.mark.parametrize("seed", range(5))
def test_matches_reference_with_weights(seed):
    embeddings, labels = table(seed, n_classes=25)
    weights = np.random.default_rng(seed).integers(0, 4, size=60) * 0.3
    expected = reference(embeddings, labels, weights=weights)
    assert map_at_r_score(embeddings, labels, sample_weight=weights) == pytest.approx(expected)
    expected = reference(embeddings, labels, k=2, weights=weights)
    assert recall_at_k_score(embeddings, labels, k=2, sample_weight=weights) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:labels must have at least two classes")
@settings(max_examples=100)
@given(
    rows=st.lists(
        st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 3)), min_size=5, max_size=40
    )  # with five rows and four labels, one label occurs twice
)
def test_matches_reference_with_many_ties(rows):
    embeddings, labels = [row[:2] for row in rows], [row[2] for row in rows]
    assert map_at_r_score(embeddings, labels) == pytest.approx(reference(embeddings, labels), rel=1e-13)
    for k in (1, 4):
        assert recall_at_k_score(embeddings, labels, k=k) == pytest.approx(reference(embeddings, labels, k=k))


@pytest.mark.parametrize("n_copies", [2, 5])
def test_matches_reference_with_duplicates(n_copies):
    rng = np.random.default_rng(n_copies)
    embeddings = rng.normal(size=(12, 7))[rng.integers(0, 12, size=12 * n_copies)]
    labels = rng.integers(0, 3, size=len(embeddings))
    assert map_at_r_score(embeddings, labels) == pytest.approx(reference(embeddings, labels), rel=1e-13)


def test_all_the_same_point():
    labels = np.random.default_rng(0).integers(0, 4, size=50)
    for point in (0.0, 0.1, 1e6):
        embeddings = np.full((50, 3), point)
        assert map_at_r_score(embeddings, labels) == pytest.approx(reference(embeddings, labels), rel=1e-13)
        assert recall_at_k_score(embeddings, labels, k=2) == pytest.approx(
            reference(embeddings, labels, k=2), rel=1e-13
        )


@pytest.mark.parametrize("chunk_rows", [1, 7, 59, 60, 61])
def test_chunks_do_not_change_the_score(monkeypatch, chunk_rows):
    embeddings, labels = table(0)
    expected = map_at_r_score(embeddings, labels), recall_at_k_score(embeddings, labels, k=3)
    for block_size in (1, 150, 10_000):
        monkeypatch.setitem(_neighbors.PointTable.distances.__kwdefaults__, "chunk_rows", chunk_rows)
        monkeypatch.setitem(_neighbors.PointTable.distances.__kwdefaults__, "block_size", block_size)
        assert (map_at_r_score(embeddings, labels), recall_at_k_score(embeddings, labels, k=3)) == expected


def ranked_in_float64(embeddings, labels, k):
    """Both scores by sorting distances in float64, for tables that are too large for the plain loops."""
    distances = ((embeddings[:, np.newaxis] - embeddings) ** 2).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    precision, recall = [], []
    for own, row in zip(labels, distances, strict=True):
        order = np.argsort(row, kind="stable")[:-1]
        relevant = labels[order] == own
        bounds = np.flatnonzero(np.diff(row[order], prepend=-1, append=np.inf))
        runs = [relevant[start:stop].tolist() for start, stop in pairwise(bounds.tolist())]
        precision.append(expected_average_precision(runs, int(relevant.sum())))
        reached = runs[: np.searchsorted(bounds, k)]
        recall.append(expected_recall(reached, k))
    return np.mean(precision), np.mean(recall)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=(n, 3)),
        lambda rng, n: rng.standard_cauchy(size=(n, 2)),
        lambda rng, n: rng.integers(0, 3, size=(n, 4)) * 1.0,
        lambda rng, n: rng.integers(0, 2, size=(n, 20)) * 1.0,
        # Tight groups far apart: rounded to 30 bits of a large distance, small distances are equal.
        lambda rng, n: rng.integers(0, 9, size=(n, 1)) * 2.0**10 + rng.integers(0, 2**6, size=(n, 1)) * 2.0**-10,
    ],
    ids=["normal", "heavy tails", "few values", "corners of a cube", "tight groups"],
)
@pytest.mark.parametrize("n_classes", [2, 9, 150])
def test_matches_a_sort_in_float64(draw, n_classes):
    rng = np.random.default_rng(n_classes)
    embeddings, labels = draw(rng, 400), rng.permutation(400) % n_classes
    map_at_r, recall = ranked_in_float64(embeddings, labels, 4)
    assert map_at_r_score(embeddings, labels) == pytest.approx(map_at_r, rel=1e-12)
    assert recall_at_k_score(embeddings, labels, k=4) == pytest.approx(recall, rel=1e-12)


def test_classes_of_very_different_sizes():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(8), [2, 3, 5, 10, 30, 50, 100, 200]))
    embeddings = rng.normal(size=(400, 3))
    map_at_r, recall = ranked_in_float64(embeddings, labels, 4)
    assert map_at_r_score(embeddings, labels) == pytest.approx(map_at_r, rel=1e-12)
    assert recall_at_k_score(embeddings, labels, k=4) == pytest.approx(recall, rel=1e-12)


def test_matches_pytorch_metric_learning():
    calculator = pytest.importorskip("pytorch_metric_learning.utils.accuracy_calculator")
    inference = pytest.importorskip("pytorch_metric_learning.utils.inference")
    distances = pytest.importorskip("pytorch_metric_learning.distances")
    torch = pytest.importorskip("torch")
    accuracy = calculator.AccuracyCalculator(
        include=("mean_average_precision_at_r", "precision_at_1"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=inference.CustomKNN(distances.LpDistance(normalize_embeddings=False)),
    )
    embeddings, labels = table(0, n=200, d=8)
    theirs = accuracy.get_accuracy(torch.from_numpy(embeddings), torch.from_numpy(labels))
    assert map_at_r_score(embeddings, labels) == pytest.approx(theirs["mean_average_precision_at_r"])
    assert recall_at_k_score(embeddings, labels, k=1) == pytest.approx(theirs["precision_at_1"])


# Invariances

SCORES = pytest.mark.parametrize("score", [map_at_r_score, recall_at_2_score])
SEEDS = st.integers(0, 2**32 - 1)


@SCORES
@settings(max_examples=30)
@given(seed=SEEDS)
def test_row_order_does_not_matter(score, seed):
    embeddings, labels = table(seed)
    rng = np.random.default_rng(seed)
    weights, order = rng.uniform(size=60), rng.permutation(60)
    moved = score(embeddings[order], labels[order], sample_weight=weights[order])
    assert moved == pytest.approx(score(embeddings, labels, sample_weight=weights))


@SCORES
@settings(max_examples=30)
@given(seed=SEEDS)
def test_row_order_does_not_matter_with_ties(score, seed):
    rng = np.random.default_rng(seed)
    embeddings, labels = rng.integers(0, 3, size=(60, 2)), rng.integers(0, 3, size=60)
    order = rng.permutation(60)
    assert score(embeddings[order], labels[order]) == pytest.approx(score(embeddings, labels), rel=1e-13)


@SCORES
@settings(max_examples=30)
@given(seed=SEEDS, scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
def test_isometries_and_scale_do_not_matter(score, seed, scale, shift):
    embeddings, labels = table(seed)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    moved = score(scale * (embeddings @ rotation + shift), labels)
    assert moved == pytest.approx(score(embeddings, labels))


@SCORES
@settings(max_examples=30)
@given(seed=SEEDS)
def test_names_of_labels_do_not_matter(score, seed):
    embeddings, labels = table(seed)
    names = np.random.default_rng(seed).permutation(np.array(["cat", "dog", "eel", "fox", "gnu", "hen"]))
    assert score(embeddings, names[labels]) == score(embeddings, labels)


@SCORES
@settings(max_examples=30)
@given(seed=SEEDS, factor=st.floats(1e-300, 1e300))
def test_only_ratios_of_weights_matter(score, seed, factor):
    embeddings, labels = table(seed)
    weights = np.random.default_rng(seed).uniform(0.1, 1, size=60)
    scaled = score(embeddings, labels, sample_weight=factor * weights)
    assert scaled == pytest.approx(score(embeddings, labels, sample_weight=weights))
    assert score(embeddings, labels, sample_weight=np.full(60, factor)) == pytest.approx(score(embeddings, labels))


@SCORES
def test_sum_of_weights_does_not_overflow(score):
    embeddings, labels = table(0)
    assert score(embeddings, labels, sample_weight=np.full(60, 1e308)) == pytest.approx(score(embeddings, labels))


@SCORES
@pytest.mark.parametrize("seed", range(5))
def test_a_score_is_the_weighted_mean_of_its_queries(score, seed):
    embeddings, labels = table(seed)
    weights = np.random.default_rng(seed).uniform(size=60)
    each = [score(embeddings, labels, sample_weight=one) for one in np.eye(60)]
    assert score(embeddings, labels, sample_weight=weights) == pytest.approx(np.average(each, weights=weights))


@pytest.mark.parametrize("seed", range(5))
def test_recall_grows_with_k_up_to_one(seed):
    embeddings, labels = table(seed)
    values = [recall_at_k_score(embeddings, labels, k=k) for k in range(1, 60)]
    assert values == sorted(values)
    assert values[-1] == 1.0


# Singletons


@SCORES
def test_singletons_are_neighbors_but_no_queries(score):
    embeddings, labels = table(0, n_classes=3)
    # A row that is far away and alone in its class changes nothing, and neither does its weight.
    far = np.vstack([embeddings, [[100.0, 0, 0]]])
    weights = np.append(np.ones(60), 7.0)
    assert score(far, np.append(labels, 99), sample_weight=weights) == pytest.approx(score(embeddings, labels))
    # A row of another class at the same point has the first rank.
    assert score([[0.0], [0.0], [1.0], [1.5]], ["a", "x", "y", "a"], sample_weight=[1, 1, 1, 0]) == 0.0


@SCORES
def test_no_class_with_two_rows(score):
    with pytest.raises(ValueError, match=r"labels must have at least two rows of one class, got 4 rows of 4 classes"):
        score(np.eye(4), [0, 1, 2, 3])


# What is accepted


@SCORES
@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda labels: labels.astype(np.uint8),
        lambda labels: labels.astype(float),
        lambda labels: labels.astype(str),
        lambda labels: labels.astype(str).astype(object),
        lambda labels: labels.astype(object),
        lambda labels: labels.astype(bool),
        lambda labels: labels[:, np.newaxis],
        pd.Series,
        lambda labels: pd.Series(labels.astype(str), dtype="category"),
        lambda labels: pd.Series(labels.astype(str), dtype="string"),
        lambda labels: pd.Series(labels, dtype="Int64", index=range(100, 160)),
    ],
)
def test_labels_of_any_type(score, convert):
    embeddings, labels = table(0, n_classes=2)
    assert score(embeddings, convert(labels)) == score(embeddings, labels)


@SCORES
def test_embeddings_of_any_type(score):
    embeddings, labels = table(0)
    embeddings = embeddings.astype(np.float32)
    expected = score(embeddings.astype(np.float64), labels)
    frozen = embeddings.copy()
    frozen.setflags(write=False)
    for same in (embeddings, frozen, embeddings.tolist(), pd.DataFrame(embeddings), np.asfortranarray(embeddings)):
        value = score(same, labels)
        assert value == expected
        assert type(value) is float


@SCORES
def test_arguments_are_left_alone(score):
    embeddings, labels = table(0)
    weights = np.arange(60.0)
    before = embeddings.copy(), labels.copy(), weights.copy()
    score(embeddings, labels, sample_weight=weights)
    for now, then in zip((embeddings, labels, weights), before, strict=True):
        np.testing.assert_array_equal(now, then)


@SCORES
@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"embeddings": [[1.0], [np.nan], [2.0], [3.0]]}, ValueError, "embeddings contains NaN"),
        ({"embeddings": [[1.0], [np.inf], [2.0], [3.0]]}, ValueError, "embeddings contains infinity"),
        ({"embeddings": [1.0, 2.0, 3.0, 4.0]}, ValueError, "Expected 2D array"),
        ({"embeddings": [[1.0]], "labels": [1]}, ValueError, "minimum of 2 is required"),
        ({"embeddings": np.empty((4, 0))}, ValueError, "minimum of 1 is required"),
        ({"labels": [1, 1, 2]}, ValueError, "inconsistent numbers of samples"),
        ({"labels": [[1, 2]] * 4}, ValueError, r"labels must have one label per row, .* got shape \(4, 2\)"),
        ({"labels": [1.0, 1.0, np.nan, 2.0]}, ValueError, "labels must have no missing values"),
        ({"labels": ["a", "a", None, "b"]}, ValueError, "labels must have no missing values .* got one in row 2"),
        (
            {"labels": np.array(["a", "a", 1, 1], object)},
            TypeError,
            "labels must hold values of one kind, got 'a' .text., 1 .numbers.",
        ),
        ({"labels": pd.Series(["a", "a", None, "b"], dtype="string")}, (TypeError, ValueError), "labels"),
        ({"sample_weight": [1, 1, 1]}, ValueError, r"sample_weight must have .* shape \(4,\), got shape \(3,\)"),
        ({"sample_weight": np.ones((4, 1))}, ValueError, r"sample_weight must have .* got shape \(4, 1\)"),
        ({"sample_weight": [1, 1, -2, 1]}, ValueError, "sample_weight must be non-negative, got -2 at row 2"),
        ({"sample_weight": [1, 1, np.nan, 1]}, ValueError, "sample_weight must have no missing values"),
        ({"sample_weight": [0, 0, 0, 0]}, ValueError, "sample_weight must be positive for at least one row"),
        ({"sample_weight": [0, 0, 1, 1]}, ValueError, "got zeros for all 2 rows whose class has other rows"),
    ],
)
def test_errors(score, changed, error, message):
    arguments = {"embeddings": np.eye(4), "labels": [1, 1, 2, 3], "sample_weight": None} | changed
    with pytest.raises(error, match=message):
        score(arguments["embeddings"], arguments["labels"], sample_weight=arguments["sample_weight"])


@pytest.mark.parametrize("k", [0, -1, 4, 100, np.int64(4)])
def test_k_out_of_range(k):
    with pytest.raises(
        ValueError, match=rf"k must be from 1 to n_samples - 1 = 3, the number of other rows, got k={k}\."
    ):
        recall_at_k_score(np.eye(4), [1, 1, 2, 2], k=k)


@pytest.mark.parametrize("k", [1.0, "1", None, True])
def test_k_not_an_integer(k):
    with pytest.raises(TypeError, match="k must be an integer"):
        recall_at_k_score(np.eye(4), [1, 1, 2, 2], k=k)


def test_k_may_be_a_numpy_integer():
    embeddings, labels = table(0)
    assert recall_at_k_score(embeddings, labels, k=np.int32(3)) == recall_at_k_score(embeddings, labels, k=3)


@pytest.mark.parametrize("score", [map_at_r_score, lambda X, y: recall_at_k_score(X, y, k=1)], ids=["MAP@R", "recall"])
def test_a_score_of_one_class_says_that_it_says_nothing(score):
    with pytest.warns(UndefinedMetricWarning, match="got one class") as caught:
        assert score([[0.0], [1.0], [5.0]], ["a", "a", "a"]) == 1.0
    assert caught[0].filename == __file__
