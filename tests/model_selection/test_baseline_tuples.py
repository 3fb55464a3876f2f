"""Baseline comparisons on pairs and triplets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from skmetric.model_selection import TupleKFold, _baseline_tuples
from skmetric.model_selection.baselines import compare_baselines

BASELINES = ["raw columns", "standardized columns", "PCA"]
SMALL = {"n_components": 4, "hidden_layer_sizes": (8,), "max_iter": 3, "device": "cpu", "random_state": 0}
RNG = np.random.default_rng(0)
CLASSES = np.repeat(np.arange(30), 4)
X = RNG.normal(size=(30, 6))[CLASSES] * 2 + RNG.normal(size=(120, 6)) * np.geomspace(1, 10, 6)


def triplets_within(points, n, seed):
    """Triplets of an anchor, a point of its class, and another point, all from the given ones."""
    rng = np.random.default_rng(seed)
    anchors = rng.choice(points, n)
    known = CLASSES[points]

    def triplet_of(anchor):
        is_similar = known == CLASSES[anchor]
        return anchor, rng.choice(points[is_similar & (points != anchor)]), rng.choice(points[~is_similar])

    return np.array([triplet_of(anchor) for anchor in anchors])


# Five parts of six classes, so that folds of tuples lose none of them.
TRIPLETS = np.concatenate([triplets_within(np.flatnonzero(part == CLASSES % 5), 40, part) for part in range(5)])
PAIRS = np.concatenate([TRIPLETS[::2, :2], TRIPLETS[1::2, ::2]])
SIMILAR = np.repeat([1, -1], 100)
FOLDS = list(TupleKFold(5).split(TRIPLETS))


def triplet(**changes):
    return TripletEmbedder(**{**SMALL, **changes})


def contrastive(**changes):
    return ContrastiveEmbedder(**{**SMALL, **changes})


def scores(comparison, name):
    return comparison.scores[comparison.names.index(name)]


def accuracy(table, triplets):
    distances = np.linalg.norm(table[triplets[:, :1]] - table[triplets[:, 1:]], axis=2)
    return np.mean(distances[:, 0] < distances[:, 1])


def area(table, pairs, y):
    return roc_auc_score(y, -np.linalg.norm(table[pairs[:, 0]] - table[pairs[:, 1]], axis=1))


def by_hand(tuples, folds, order):
    """Scores of the three baselines on each fold: ``order(table, test)``."""
    figures = {name: [] for name in BASELINES}
    for train, test in folds:
        trained = X[np.unique(tuples[train])]
        scaler = StandardScaler().fit(trained)
        reducer = make_pipeline(StandardScaler(), PCA(4, random_state=0)).fit(trained)
        for name, table in zip(BASELINES, (X, scaler.transform(X), reducer.transform(X)), strict=True):
            figures[name].append(order(table, test))
    return figures


# The figures


def test_figures_of_triplets():
    comparison = compare_baselines(
        TRIPLETS, preprocessor=X, cv=FOLDS, embedders=[triplet()], n_components=4, random_state=0
    )
    assert comparison.names == [*BASELINES, "TripletEmbedder"]
    assert comparison.kinds == ["columns"] * 2 + ["baseline", "learned"]
    assert comparison.metric == "accuracy"
    for name, expected in by_hand(TRIPLETS, FOLDS, lambda table, test: accuracy(table, TRIPLETS[test])).items():
        np.testing.assert_allclose(scores(comparison, name), expected, rtol=0, atol=1e-12)
    expected = cross_val_score(triplet(preprocessor=X), TRIPLETS, cv=FOLDS)
    np.testing.assert_array_equal(scores(comparison, "TripletEmbedder"), expected)
    np.testing.assert_array_equal(comparison.widths, [6, 6, 4, 4])
    assert comparison.test_share == pytest.approx(np.mean([len(test) / len(train) for train, test in FOLDS]))
    assert (comparison.fit_times >= 0).all()


def test_figures_of_pairs():
    folds = list(TupleKFold(4).split(PAIRS, SIMILAR))
    comparison = compare_baselines(
        X[PAIRS], SIMILAR, cv=folds, embedders={"mine": contrastive()}, n_components=4, random_state=0
    )
    assert comparison.metric == "ROC AUC"
    expected = by_hand(PAIRS, folds, lambda table, test: area(table, PAIRS[test], SIMILAR[test]))
    for name, figures in expected.items():
        np.testing.assert_allclose(scores(comparison, name), figures, rtol=0, atol=1e-12)
    expected = cross_val_score(contrastive(), X[PAIRS], SIMILAR, cv=folds)
    np.testing.assert_array_equal(scores(comparison, "mine"), expected)


def test_figures_of_similar_pairs():
    pairs = PAIRS[SIMILAR > 0]
    comparison = compare_baselines(pairs, preprocessor=Rows(X), cv=KFold(4), embedders=[contrastive()], random_state=0)
    folds = list(KFold(4).split(pairs))

    def crossed(table, test):
        both = np.concatenate([pairs[test], np.column_stack([pairs[test, 0], np.roll(pairs[test, 1], 1)])])
        return area(table, both, np.repeat([1, -1], len(test)))

    np.testing.assert_allclose(scores(comparison, "raw columns"), [crossed(X, test) for _, test in folds], atol=1e-12)
    expected = cross_val_score(contrastive(preprocessor=X), pairs, cv=folds)
    np.testing.assert_array_equal(scores(comparison, "ContrastiveEmbedder"), expected)
    assert "the next second point" in " ".join(str(comparison).split())


@pytest.mark.parametrize("form", ["points", "lists", "frame", "names", "function"])
def test_other_forms_of_the_same_triplets_give_the_same(form):
    plain = compare_baselines(TRIPLETS, preprocessor=X, cv=FOLDS, embedders=[triplet()], n_components=4)
    given = {
        "points": (X[TRIPLETS], None),
        "lists": (X[TRIPLETS].tolist(), None),
        "frame": (pd.DataFrame(TRIPLETS), pd.DataFrame(X)),
        "names": (TRIPLETS.astype(str), lambda names: X[[int(name) for name in names]]),
        "function": (TRIPLETS, lambda indices: X[indices]),
    }[form]
    comparison = compare_baselines(given[0], preprocessor=given[1], cv=FOLDS, embedders=[triplet()], n_components=4)
    np.testing.assert_allclose(comparison.scores, plain.scores, rtol=0, atol=0.03)
    np.testing.assert_array_equal(scores(comparison, "raw columns"), scores(plain, "raw columns"))


# Defaults


def test_default_folds_keep_points_of_test_tuples_out_of_training():
    for cv in (None, 4):
        comparison = compare_baselines(TRIPLETS, preprocessor=X, cv=cv, embedders=[], random_state=3)
        folds = list(TupleKFold(cv or 5, shuffle=True, random_state=3).split(TRIPLETS))
        expected = [accuracy(X, TRIPLETS[test]) for _, test in folds]
        np.testing.assert_array_equal(scores(comparison, "raw columns"), expected)
        text = " ".join(str(comparison).split())
        assert f"200 triplets of {len(np.unique(TRIPLETS))} points, 6 columns. {cv or 5} folds" in text
        assert "training has seen no point of the test triplets" in text


def test_shared_points_are_reported():
    comparison = compare_baselines(TRIPLETS, preprocessor=X, cv=KFold(5, shuffle=True, random_state=0), embedders=[])
    folds = KFold(5, shuffle=True, random_state=0).split(TRIPLETS)
    share = np.concatenate([np.isin(TRIPLETS[test], TRIPLETS[train]).any(axis=1) for train, test in folds]).mean()
    assert f"{share:.0%} of the test triplets have points that training has seen" in " ".join(str(comparison).split())


@pytest.mark.parametrize(
    ("tuples", "y", "kind"),
    [(TRIPLETS[::4], None, TripletEmbedder), (PAIRS[::5], SIMILAR[::5], ContrastiveEmbedder)],
)
def test_the_default_embedders_are_a_network_and_a_linear_map_from_the_columns(tuples, y, kind):
    comparison = compare_baselines(tuples, y, preprocessor=X, cv=2, n_components=3, random_state=0)
    assert comparison.names[3:] == [kind.__name__, f"{kind.__name__}, linear"]
    np.testing.assert_array_equal(comparison.widths, [6, 6, 3, 3, 6])
    folds = list(TupleKFold(2, shuffle=True, random_state=0).split(tuples, y))
    gentle = {"learning_rate": 0.0005, "max_iter": 5}
    linear = kind(6, hidden_layer_sizes=(), init="identity", **gentle, random_state=0, preprocessor=X)
    expected = cross_val_score(linear, tuples, y, cv=folds)
    np.testing.assert_allclose(scores(comparison, f"{kind.__name__}, linear"), expected, atol=1e-4)


def test_the_default_linear_map_is_skipped_on_wide_tables(monkeypatch):
    monkeypatch.setattr(_baseline_tuples, "LINEAR_COLUMNS", 5)
    with pytest.warns(UserWarning, match="learning an embedding hurts: TripletEmbedder 0"):
        comparison = compare_baselines(TRIPLETS[::4], preprocessor=X, cv=2, n_components=3, random_state=0)
    assert np.isnan(scores(comparison, "TripletEmbedder, linear")).all()
    assert "skipped above 5 columns" in str(comparison)


# Reports


def test_print_has_no_votes_of_neighbors():
    comparison = compare_baselines(TRIPLETS, preprocessor=X, cv=FOLDS, embedders=[triplet()], random_state=0)
    text = " ".join(str(comparison).split())
    assert "NN accuracy" not in text
    assert "PCA uses standardized columns." in text
    assert text.count("Higher is better") == 1
    assert len(comparison.verdict) == 1
    assert comparison.verdict[0].startswith("By accuracy, learning an embedding")
    assert comparison.to_frame()["mean_test_score"].notna().all()
    assert max(map(len, str(comparison).splitlines())) <= 100


def test_warns_when_learning_hurts():
    ruined = FunctionTransformer(lambda points: np.asarray(points)[:, -1:])
    with pytest.warns(UserWarning, match="By accuracy, learning an embedding hurts: ruined") as caught:
        comparison = compare_baselines(TRIPLETS, preprocessor=X, cv=FOLDS, embedders={"ruined": ruined})
    assert comparison.hurts
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "start at the columns (hidden_layer_sizes=(), init='identity')" in str(caught[0].message)


def test_a_table_of_an_embedder_itself_stays():
    other = X @ np.diag([1, 1, 1, 0, 0, 0])
    embedders = {"given": triplet(), "its own": triplet(preprocessor=other)}
    comparison = compare_baselines(TRIPLETS, preprocessor=X, cv=FOLDS, embedders=embedders)
    expected = cross_val_score(triplet(preprocessor=other), TRIPLETS, cv=FOLDS)
    np.testing.assert_array_equal(scores(comparison, "its own"), expected)
    assert embedders["given"].preprocessor is None


# Errors


@pytest.mark.parametrize(
    ("tuples", "params", "message"),
    [
        (TRIPLETS, {"preprocessor": X, "scoring": "map_at_r"}, "scoring must be None for tuples.* got 'map_at_r'"),
        (TRIPLETS, {"embedders": [triplet(preprocessor=X)]}, "preprocessor must be given to compare_baselines"),
        (
            np.arange(9),
            {"preprocessor": X},
            "of indices with preprocessor, two axes, got 1",
        ),
        (np.zeros((5, 4, 2)), {}, r"X must hold pairs or triplets, 2 or 3 points per tuple, got 4, shape \(5, 4, 2\)"),
        (np.ones((9, 3, 2)), {}, "X must hold points that differ"),
        (X[TRIPLETS] * np.nan, {}, "contains NaN"),
        (TRIPLETS, {"preprocessor": X, "y": np.full(200, -1)}, "y must be None for triplets"),
        (PAIRS, {"preprocessor": X, "y": np.full(200, -1)}, "y must hold similar pairs, 1, got only -1"),
        (PAIRS, {"preprocessor": X, "y": SIMILAR, "cv": KFold(2)}, "got 0 similar of 100 training tuples in fold 0"),
        (PAIRS[:2], {"preprocessor": X, "cv": KFold(2)}, "got 1 similar of 1 training tuples in fold 0"),
        (TRIPLETS, {"preprocessor": X, "cv": []}, "cv must give at least one fold"),
        (TRIPLETS, {"preprocessor": X, "cv": 0}, "n_splits"),
        (TRIPLETS + 100, {"preprocessor": X}, "X must hold indices into preprocessor, from 0 to 119, got"),
        (TRIPLETS, {"preprocessor": X, "embedders": [contrastive()]}, "X must hold pairs"),
    ],
)
def test_bad_arguments(tuples, params, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        compare_baselines(tuples, **{"embedders": [], **params})


def test_pipelines_are_refused():
    with pytest.raises(TypeError, match=r"(?s)embedders must not be Pipelines for tuples.*Pass the embedder alone"):
        compare_baselines(TRIPLETS, preprocessor=X, embedders=[make_pipeline(StandardScaler(), triplet())])


def test_failures_say_where_they_come_from():
    with pytest.raises(ValueError, match="margin") as caught:
        compare_baselines(TRIPLETS, preprocessor=X, embedders={"mine": triplet(margin=-1.0)})
    assert "'mine'" in caught.value.__notes__[0]
