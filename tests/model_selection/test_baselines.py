"""Baseline comparisons: equal folds, correct standard errors, and a warning if learning hurts."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from joblib import parallel_config
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, ShuffleSplit, StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_scorer, recall_at_1_scorer
from skmetric.model_selection import ClassDisjointKFold, _baseline_fits, _report_text
from skmetric.model_selection.baselines import BaselineComparison, compare_baselines

BASELINES = [
    "raw columns",
    "standardized columns",
    "PCA",
    "LinearDiscriminantAnalysis",
    "NeighborhoodComponentsAnalysis",
]


def make(**params):
    return TripletEmbedder(
        **{"n_components": 4, "hidden_layer_sizes": (16,), "max_iter": 10, "device": "cpu", "random_state": 0, **params}
    )


def identity():
    return FunctionTransformer()


def last_column():
    """A bad embedding, as if training had failed."""
    return FunctionTransformer(lambda X: np.asarray(X)[:, -1:])


@pytest.fixture(scope="module")
def noisy():
    """Three classes in four columns, and a column of noise."""
    X, y = load_iris(return_X_y=True)
    return np.column_stack([X, np.random.default_rng(0).normal(size=len(X))]), y


def row(comparison, name):
    index = comparison.names.index(name)
    return comparison.scores[index], comparison.accuracies[index]


# The figures


def test_figures_are_those_of_cross_validate(blobs):
    X, y = blobs
    comparison = compare_baselines(
        X, y, embedders=[make()], n_components=3, n_neighbors=7, random_state=0, cv=StratifiedKFold(3)
    )
    assert comparison.names == [*BASELINES, "TripletEmbedder"]
    assert comparison.kinds == ["columns"] * 2 + ["baseline"] * 3 + ["learned"]
    by_hand = {
        "raw columns": identity(),
        "standardized columns": StandardScaler(),
        "PCA": make_pipeline(StandardScaler(), PCA(3, random_state=0)),
        "LinearDiscriminantAnalysis": make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(n_components=2)),
        "NeighborhoodComponentsAnalysis": make_pipeline(
            StandardScaler(), NeighborhoodComponentsAnalysis(3, random_state=0)
        ),
        "TripletEmbedder": make(),
    }
    for name, embedder in by_hand.items():
        scores = cross_validate(embedder, X, y, cv=StratifiedKFold(3), scoring=map_at_r_scorer)["test_score"]
        voted = cross_validate(make_pipeline(embedder, KNeighborsClassifier(7)), X, y, cv=StratifiedKFold(3))
        np.testing.assert_allclose(row(comparison, name)[0], scores, rtol=0, atol=1e-12)
        np.testing.assert_allclose(row(comparison, name)[1], voted["test_score"], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(comparison.widths, [6, 6, 3, 2, 3, 4])
    assert (comparison.fit_times > 0).all()


def test_default_folds_are_five_stratified_and_shuffled(blobs):
    X, y = blobs
    comparison = compare_baselines(X, y, embedders=[], random_state=3)
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    scores = cross_validate(StandardScaler(), X, y, cv=folds, scoring=map_at_r_scorer)["test_score"]
    np.testing.assert_allclose(row(comparison, "standardized columns")[0], scores, rtol=0, atol=1e-12)


def test_all_see_the_same_folds(blobs):
    X, y = blobs
    folds = ShuffleSplit(3, test_size=0.3)  # no seed: other folds at each call of split
    embedders = {"again": identity(), "stacked": make(max_iter=1), "stacked again": make(max_iter=1)}
    comparison = compare_baselines(X, y, cv=folds, embedders=embedders)
    for left, right in [("raw columns", "again"), ("stacked", "stacked again")]:
        for figures in zip(row(comparison, left), row(comparison, right), strict=True):
            np.testing.assert_array_equal(*figures)


def test_means_and_spreads(blobs):
    X, y = blobs
    comparison = compare_baselines(X, y, embedders=[make()], random_state=0)
    results, scores, accuracies = comparison.results, comparison.scores, comparison.accuracies
    best = BASELINES.index(comparison.best_baseline)
    assert best == scores[:5].mean(axis=1).argmax()
    # 18 test rows and 72 training rows: variances are multiplied by 1/5 + 1/4.
    inflate = np.sqrt(1 / 5 + 18 / 72)
    for figure, values in (("score", scores), ("accuracy", accuracies)):
        gaps = values - values[best]
        for name, expected in {
            f"mean_test_{figure}": values.mean(axis=1),
            f"std_test_{figure}": values.std(axis=1, ddof=1),
            f"se_test_{figure}": values.std(axis=1, ddof=1) * inflate,
            f"mean_difference_{figure}": gaps.mean(axis=1),
            f"se_difference_{figure}": gaps.std(axis=1, ddof=1) * inflate,
            f"split4_test_{figure}": values[:, 4],
        }.items():
            np.testing.assert_allclose(results[name], expected, rtol=1e-12, atol=1e-15)


def test_scorings(blobs):
    X, y = blobs
    of_recall = compare_baselines(X, y, embedders=[make()], scoring="recall_at_1", cv=3)
    expected = cross_validate(make(), X, y, cv=3, scoring=recall_at_1_scorer)["test_score"]
    np.testing.assert_array_equal(row(of_recall, "TripletEmbedder")[0], expected)
    assert of_recall.metric == "recall@1"

    def negated_width(embedder, X, y):
        return -float(embedder.transform(X).shape[1])

    of_width = compare_baselines(X, y, embedders={"learned": make()}, scoring=negated_width, cv=3)
    np.testing.assert_array_equal(of_width.scores[:, 0], [-6, -6, -6, -2, -6, -4])
    assert of_width.best_baseline == "LinearDiscriminantAnalysis"
    assert "as computed by negated_width" in str(of_width)


# Verdicts and warnings


def test_warns_when_learning_hurts(noisy):
    with pytest.warns(UserWarning, match="hurts: ruined 0") as caught:
        comparison = compare_baselines(*noisy, embedders={"ruined": last_column()}, random_state=0)
    message = str(caught[0].message)
    columns = max(row(comparison, name)[0].mean() for name in BASELINES[:2])
    assert f"raw columns {columns:.3f}" in message
    assert f"ruined {row(comparison, 'ruined')[0].mean():.3f}" in message
    assert "Use the columns without an embedding" in message
    assert caught[0].filename == __file__
    assert comparison.hurts
    assert "By 5-NN accuracy, learning an embedding hurts" in comparison.verdict[1]


def test_the_best_learned_embedding_counts(noisy):
    comparison = compare_baselines(
        *noisy, embedders={"ruined": last_column(), "LDA": LinearDiscriminantAnalysis()}, random_state=0
    )
    assert not comparison.hurts
    assert comparison.best_learned == "LDA"
    assert "helps" in comparison.verdict[0]


def test_an_equal_embedding_makes_no_difference(noisy):
    comparison = compare_baselines(*noisy, embedders={"same": identity()}, random_state=0)
    assert not comparison.hurts
    assert "makes no clear difference" in comparison.verdict[0]
    assert "a difference of +0.000 ± 0.000" in comparison.verdict[0]


def compared(baseline, learned, **changes):
    """Build a comparison from the scores of some folds. The scores of the columns are all 0.5."""
    scores = np.array([np.full(len(learned), 0.5), baseline, learned])
    values = {
        "names": ["raw columns", "PCA", "mine"],
        "kinds": ["columns", "baseline", "learned"],
        "metric": "MAP@R",
        "n_neighbors": 5,
        "scores": scores,
        "accuracies": np.full_like(scores, np.nan),
        "widths": np.array([3.0, 2.0, 2.0]),
        "fit_times": np.zeros(3),
        "test_share": 0.25,
        "skipped": {},
        "about": "A table.",
        "meaning": "good.",
    }
    return BaselineComparison(**{**values, **changes})


@pytest.mark.parametrize(
    ("baseline", "learned", "effect", "position"),
    [
        ([0.3, 0.3, 0.3], [0.1, 0.2, 0.1], "hurts", None),
        ([0.3, 0.3, 0.3], [0.1, 0.9, 0.4], "makes no clear difference", None),
        ([0.3, 0.3, 0.3], [0.9, 0.8, 0.9], "helps", None),
        ([0.6, 0.6, 0.7], [0.9, 0.8, 0.9], "helps", "ahead"),
        ([0.9, 0.8, 0.8], [0.8, 0.8, 0.9], "helps", "about level"),
        ([0.9, 0.9, 0.9], [0.8, 0.7, 0.8], "helps", "behind"),
        ([0.9, 0.9, 0.9], [0.1, 0.2, 0.1], "hurts", "behind"),
        # Two folds: the mean must exceed 6.3 standard errors.
        ([0.3, 0.3], [0.1, 0.2], "makes no clear difference", None),
        ([0.3, 0.3], [0.14, 0.15], "hurts", None),
        ([0.6], [0.1], "cannot be judged by a single fold", None),
    ],
)
def test_verdicts(baseline, learned, effect, position):
    comparison = compared(baseline, learned)
    (text,) = comparison.verdict
    assert f"learning an embedding {effect}: mine {np.mean(learned):.3f}" in text
    assert comparison.hurts == (effect == "hurts")
    assert ("Against" in text) == (position is not None)
    assert position is None or f"it is {position}: " in text


def test_print(blobs):
    comparison = compare_baselines(*blobs, embedders=[make()], random_state=0)
    text = str(comparison)
    assert repr(comparison) == text
    lines = text.splitlines()
    assert lines[0].startswith("90 rows, 6 columns, 3 classes. 5 folds")
    assert max(map(len, lines)) <= 100
    results = comparison.results
    for index, name in enumerate(comparison.names):
        (line,) = [line for line in lines if line.startswith(f"{name}  ")]
        for figure in ("score", "accuracy"):
            mean, error = results[f"mean_test_{figure}"][index], results[f"se_test_{figure}"][index]
            assert f"{mean:.3f} ± {error:.3f}" in line
        gap = f"{results['mean_difference_score'][index]:+.3f} ± {results['se_difference_score'][index]:.3f}"
        assert ("best baseline" if name == comparison.best_baseline else gap) in line
    table = lines[2 : 2 + 1 + len(BASELINES) + 1 + 2]
    assert len({len(line) for line in table}) == 1
    for heading in ("columns", "MAP@R", "minus best baseline", "5-NN accuracy", "fit (s)"):
        assert heading in table[0]
        assert heading in "\n".join(lines[len(table) :])  # explained below
    assert " ".join(text.split()).count("Higher is better") == 2


def test_frame(blobs):
    comparison = compare_baselines(*blobs, embedders=[make()], random_state=0)
    frame = comparison.to_frame()
    assert list(frame.index) == comparison.names
    np.testing.assert_array_equal(frame["mean_test_score"], comparison.scores.mean(axis=1))
    assert frame.loc["PCA", "kind"] == "baseline"
    assert frame["n_columns"].tolist() == [6, 6, 6, 2, 6, 4]


def test_frame_without_pandas(monkeypatch):
    def no_pandas(name):
        raise ImportError(name)

    monkeypatch.setattr(_report_text, "import_module", no_pandas)
    with pytest.raises(ImportError, match="pip install pandas, or use the same figures in results"):
        compared([0.5], [0.5]).to_frame()


# Classes that training has not seen


@pytest.mark.parametrize("how", ["groups", "splitter"])
def test_learning_hurts_classes_it_has_not_seen(how):
    X, y = load_digits(return_X_y=True)
    X, y = X[::2], y[::2]
    folds = {"cv": GroupKFold(3), "groups": y} if how == "groups" else {"cv": ClassDisjointKFold(3)}
    embedders = [make(n_components=16, hidden_layer_sizes=(64,), max_iter=20)]
    with pytest.warns(UserWarning, match="learn from more classes"):
        comparison = compare_baselines(X, y, embedders=embedders, n_components=4, **folds)
    assert comparison.best_baseline == "raw columns"
    assert np.isnan(comparison.accuracies).all()
    assert not np.isnan(comparison.scores).any()
    assert len(comparison.verdict) == 1
    text = " ".join(str(comparison).split())
    assert "all of them test on classes that training has not seen" in text
    assert "No k-NN accuracy" in text
    assert "5-NN accuracy" not in text
    assert comparison.to_frame()["mean_test_accuracy"].isna().all()


def test_accuracy_is_over_the_folds_whose_classes_are_known(blobs):
    X, y = blobs
    y = y.copy()
    y[0] = 3  # the only row of its class: in the fold that tests it, no vote can find it
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        comparison = compare_baselines(X, y, embedders=[make()], random_state=0)
    unknown = np.isnan(comparison.accuracies)
    assert unknown.all(axis=0).sum() == unknown.any(axis=0).sum() == 1
    means = np.nanmean(comparison.accuracies, axis=1)
    np.testing.assert_allclose(comparison.results["mean_test_accuracy"], means)
    assert "Over 4 of 5 folds" in " ".join(str(comparison).split())
    assert "1 of them test on" in str(comparison)


# Tables


def test_strings_and_series(blobs):
    X, y = blobs
    names = np.array(["b", "c", "a"], dtype=object)[y]
    plain = compare_baselines(X, np.unique(names, return_inverse=True)[1], embedders=[make()], random_state=0)
    for labels in (names, names.astype(str), pd.Series(names, index=np.arange(90)[::-1]), names.tolist()):
        comparison = compare_baselines(X, labels, embedders=[make()], random_state=0)
        np.testing.assert_array_equal(comparison.scores, plain.scores)
        np.testing.assert_array_equal(comparison.accuracies, plain.accuracies)


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_data_frames(blobs, output):
    X, y = blobs
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(6)], index=np.arange(90)[::-1])
    chosen = ["column 1", "column 4"]
    embedders = {
        "stacked": make_pipeline(MinMaxScaler(), make()),
        "two columns": make_pipeline(ColumnTransformer([("two", "passthrough", chosen)])),
    }
    by_index = {**embedders, "two columns": make_pipeline(ColumnTransformer([("two", "passthrough", [1, 4])]))}
    plain = compare_baselines(X, y, embedders=by_index, random_state=0)
    with sklearn.config_context(transform_output=output):
        comparison = compare_baselines(frame, y, embedders=embedders, random_state=0)
    np.testing.assert_allclose(comparison.scores, plain.scores, rtol=0, atol=1e-6)
    np.testing.assert_allclose(comparison.accuracies, plain.accuracies, rtol=0, atol=1e-6)
    assert comparison.widths[-1] == 2


def test_widths_are_capped_and_constant_columns_do_no_harm(blobs):
    X, y = blobs
    X = np.column_stack([np.ones(30), X[:30, :2]])
    comparison = compare_baselines(X, y[:30], embedders=[make()], cv=3)
    np.testing.assert_array_equal(comparison.widths, [3, 3, 3, 2, 3, 4])
    wide = np.random.default_rng(0).normal(size=(12, 40))
    comparison = compare_baselines(wide, np.arange(12) % 2, embedders=[], cv=2, n_neighbors=9)
    np.testing.assert_array_equal(comparison.widths, [40, 40, 6, 1, 16])
    assert comparison.n_neighbors == 6


def test_neighborhood_components_are_skipped_on_large_tables(blobs, monkeypatch):
    monkeypatch.setattr(_baseline_fits, "NCA_ROWS", 71)
    embedders = [NeighborhoodComponentsAnalysis(2, random_state=0), make(), make(margin=1.0)]
    comparison = compare_baselines(*blobs, embedders=embedders, random_state=0)
    assert np.isnan(row(comparison, "NeighborhoodComponentsAnalysis")[0]).all()
    assert np.isnan(comparison.results["mean_test_score"]).sum() == 1
    assert "NeighborhoodComponentsAnalysis    skipped above 71 training rows" in str(comparison)
    assert comparison.names[5:] == ["NeighborhoodComponentsAnalysis-2", "TripletEmbedder", "TripletEmbedder-2"]
    assert not np.isnan(row(comparison, "NeighborhoodComponentsAnalysis-2")[0]).any()
    monkeypatch.setattr(_baseline_fits, "NCA_ROWS", 72)
    assert compare_baselines(*blobs, embedders=[], random_state=0).skipped == {}


# Embedders


def test_defaults_are_ours():
    X, y = load_iris(return_X_y=True)
    comparison = compare_baselines(X, y, n_components=3, random_state=0, cv=StratifiedKFold(2))
    assert comparison.names == [*BASELINES, "TripletEmbedder", "ContrastiveEmbedder"]
    np.testing.assert_array_equal(comparison.widths[-2:], [3, 3])
    expected = cross_validate(TripletEmbedder(3, random_state=0), X, y, cv=StratifiedKFold(2))["test_score"]
    np.testing.assert_allclose(row(comparison, "TripletEmbedder")[0], expected, atol=1e-4)


def test_without_embedders_there_is_no_verdict(blobs):
    comparison = compare_baselines(*blobs, embedders={}, random_state=0)
    assert comparison.names == BASELINES
    assert comparison.best_learned is None
    assert comparison.verdict == []
    assert not comparison.hurts
    assert "learned" not in str(comparison)


def test_networks_of_ones_own_train_one_by_one_in_silence(blobs):
    embedder = make_pipeline(StandardScaler(), make(module=torch.nn.Linear))
    comparison = compare_baselines(*blobs, embedders=[embedder], random_state=0)
    assert not np.isnan(row(comparison, "TripletEmbedder")[0]).any()


def test_given_embedders_are_left_alone(blobs):
    embedders = [make(n_neighbors=3), PCA(2)]
    compare_baselines(*blobs, embedders=embedders, random_state=0)
    assert embedders[0].n_neighbors == 3
    for embedder in embedders:
        with pytest.raises(NotFittedError):
            check_is_fitted(embedder)


def test_same_seed_same_table(blobs):
    X, y = blobs
    first, second = (compare_baselines(X, y, embedders=[make()], random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_array_equal(first.accuracies, second.accuracies)
    assert first.verdict == second.verdict
    other = compare_baselines(X, y, embedders=[make()], random_state=8)
    assert (first.scores != other.scores).any()


def test_jobs_and_routing_change_nothing(blobs):
    X, y = blobs
    plain = compare_baselines(X, y, embedders=[make()], random_state=0)
    with parallel_config("threading"):
        parallel = compare_baselines(X, y, embedders=[make()], random_state=0, n_jobs=2)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = compare_baselines(X, y, embedders=[make()], random_state=0)
    for other in (parallel, routed):
        np.testing.assert_allclose(other.scores, plain.scores, rtol=0, atol=1e-12)
        np.testing.assert_allclose(other.accuracies, plain.accuracies, rtol=0, atol=1e-12)


# Errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "n_components must be an integer of at least 1, got 0"),
        ({"n_neighbors": 2.5}, r"n_neighbors must be an integer of at least 1, got 2\.5"),
        ({"scoring": "accuracy"}, "scoring must be one of .*map_at_r.* got 'accuracy'"),
        ({"scoring": 3}, "scoring must be one of .* got 3"),
        ({"embedders": {"PCA": make()}}, "embedders must not have the name of a baseline, got 'PCA'"),
        ({"cv": []}, "cv must give at least one fold"),
        ({"cv": LeaveOneGroupOut(), "groups": np.repeat([0, 1, 2], 30)}, "got 2, 1 and 30 in fold 0"),
        ({"cv": [(np.arange(30), np.arange(30, 90))]}, "got 1, 2 and 30 in fold 0"),
        ({"cv": 30, "y": np.arange(90) % 3}, "got 3, 3 and 1 in fold 0"),
        ({"y": np.linspace(0, 1, 90)}, "y a class for each row, got: Unknown label type: continuous"),
        ({"y": None}, "y must have one value per row, got None"),
        ({"X": np.full((90, 2), np.nan)}, "X must hold finite numbers.*Impute"),
        ({"X": [["red"]] * 90}, "X must hold finite numbers.*Impute, encode"),
        ({"X": np.ones((90, 2))}, "All columns of X are constant"),
        ({"y": np.arange(90) // 4}, "cv must be given if no class has five rows, got cv=None and 4 rows"),
        ({"X": np.ones((89, 2))}, "inconsistent numbers of samples"),
    ],
)
def test_bad_arguments(params, message):
    values = {"X": np.random.default_rng(0).normal(size=(90, 2)), "y": np.repeat([0, 1, 2], 30), "embedders": []}
    values.update(params)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        compare_baselines(values.pop("X"), values.pop("y"), **values)


@pytest.mark.parametrize(
    ("embedders", "message"),
    [
        ([TripletEmbedder], "estimators with fit and transform.*Pass instances"),
        ({"knn": KNeighborsClassifier()}, r"got KNeighborsClassifier\(\) for 'knn'"),
        (make(), r"must be a list or a dict of estimators.*Pass \[TripletEmbedder\(\)\]"),
        (make_pipeline(make()), "must be a list or a dict"),
        ("TripletEmbedder", "must be a list or a dict"),
    ],
)
def test_embedders_that_are_none(blobs, embedders, message):
    with pytest.raises(TypeError, match=f"(?s){message}"):
        compare_baselines(*blobs, embedders=embedders)


@pytest.mark.parametrize("embedder", [make(margin=-1.0), PCA(100)])
def test_failures_say_where_they_come_from(blobs, embedder):
    with pytest.raises(ValueError, match="must be") as caught:
        compare_baselines(*blobs, embedders={"mine": embedder})
    assert "'mine'" in caught.value.__notes__[0]


def test_names_of_embedders_must_differ_as_text():
    X, y = load_iris(return_X_y=True)
    embedders = {1: PCA(2), "1": PCA(1)}
    with pytest.raises(ValueError, match="embedders must have names that differ as text, got two whose text is '1'"):
        compare_baselines(X, y, embedders=embedders, cv=2)


def test_a_warning_of_several_fits_is_shown_once():
    X, y = load_iris(return_X_y=True)
    rounded = np.column_stack([X, 1e9 + np.random.default_rng(0).normal(size=len(y)) * 1e-7])
    embedders = [TripletEmbedder(max_iter=1, device="cpu"), TripletEmbedder(max_iter=1, device="cpu")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_baselines(rounded, y, embedders=embedders, cv=2)
    texts = [str(each.message) for each in caught if "varies in column" in str(each.message)]
    assert len(texts) == 1
