"""Searches and comparisons warn of missing groups and of folds that split groups, each once."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetric.datasets import make_ranking
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.points import Rows
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.ranking.pointwise import PointwiseRanker
from skmetric.metrics import ndcg_scorer, spearman_scorer
from skmetric.model_selection import ClassDisjointKFold, compare_baselines
from skmetric.model_selection.search import BatchedGridSearchCV, BatchedRandomizedSearchCV

SMALL = {"hidden_layer_sizes": (4,), "max_iter": 1, "device": "cpu", "random_state": 0}
RANKERS = [PairwiseRanker(**SMALL), ListwiseRanker(**SMALL), PointwiseRanker(**SMALL)]
each_ranker = pytest.mark.parametrize("ranker", RANKERS, ids=lambda r: type(r).__name__)
X, Y, GROUPS = make_ranking(12, n_features=3, n_informative=2, group_size=5, random_state=0)
TABLE = pd.DataFrame(X, columns=["a", "b", "c"]).assign(qid=GROUPS)
GRID = {"learning_rate": [0.001, 0.003]}


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def texts_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(each.filename == __file__ for each in caught)
    return [str(each.message) for each in caught]


def search(estimator, grid=GRID, **params):
    return BatchedGridSearchCV(estimator, grid, **{"cv": 3, **params})


# No groups


@each_ranker
@pytest.mark.parametrize("cv", [KFold(4), GroupKFold(4)], ids=["no groups", "groups for the splitter"])
def test_a_search_without_groups_says_so_once(ranker, cv):
    data = {"groups": GROUPS} if isinstance(cv, GroupKFold) else {}
    ranker = clone(ranker).set_params(batch_size=16)
    (text,) = texts_of(lambda: search(ranker, cv=cv).fit(X, Y, **data))
    assert text.startswith(f"{type(ranker).__name__} got no groups: it learns from all rows as one list")
    assert "sklearn.set_config(enable_metadata_routing=True)" in text
    randomized = BatchedRandomizedSearchCV(make_pipeline(StandardScaler(), ranker), {}, n_iter=1, cv=cv)
    assert texts_of(lambda: randomized.fit(X, Y, **data)) == [text]


@each_ranker
def test_the_scorer_of_a_search_says_so_once(ranker):
    texts = texts_of(lambda: search(ranker, scoring=ndcg_scorer).fit(X, Y))
    assert [text.partition(" got no groups: ")[0] for text in texts] == [type(ranker).__name__, "NdcgScorer()"]


def test_each_search_says_so():
    searches = [search(RANKERS[0]), search(RANKERS[0])]
    assert len(texts_of(lambda: [each.fit(X, Y) for each in searches])) == 2


def test_a_warning_as_an_error_fails_every_fit():
    """As in GridSearchCV: the filter of the test suite decides about each fit, not only about the first."""
    with pytest.raises(ValueError, match="All the 6 fits failed"):
        search(RANKERS[0]).fit(X, Y)


@each_ranker
@pytest.mark.usefixtures("routing")
def test_one_id_for_every_row_is_one_list_without_a_warning(ranker):
    one_id = np.zeros(len(Y))
    found = search(ranker, scoring=ndcg_scorer).fit(X, Y, groups=one_id)
    with pytest.warns(UserWarning, match="got no groups"):
        without = search(ranker, scoring=ndcg_scorer).fit(X, Y)
    assert_array_equal(found.cv_results_["mean_test_score"], without.cv_results_["mean_test_score"])
    assert_array_equal(found.predict(X), without.predict(X))


# Groups that folds split


@pytest.mark.usefixtures("routing")
@each_ranker
@pytest.mark.parametrize(
    ("cv", "shown", "instead"),
    [
        (5, "cv=5", "GroupKFold(5)"),
        (None, "cv=None (5 folds)", "GroupKFold(5)"),
        (KFold(3), "cv=KFold(n_splits=3, random_state=None, shuffle=False)", "GroupKFold(3)"),
        (ShuffleSplit(40, random_state=0), "cv=ShuffleSplit(n_splits=40", "GroupKFold(12)"),
        (list(KFold(3).split(X)), "cv=<3 given folds>", "GroupKFold(3)"),
    ],
    ids=lambda v: str(v)[:12],
)
def test_folds_that_ignore_groups_are_named_once(ranker, cv, shown, instead):
    for estimator, prefix in ((ranker, ""), (make_pipeline(StandardScaler(), ranker), f"{type(ranker).__name__}__")):
        grid = {prefix.lower() + name: values for name, values in GRID.items()}
        (text,) = texts_of(lambda: search(estimator, grid, cv=cv).fit(X, Y, groups=GROUPS))  # noqa: B023
        assert text.startswith(shown)
        assert f" ignores groups; pass {instead}. " in text
        assert "of 12 groups have rows in both the training and the test part of a fold" in text


@pytest.mark.usefixtures("routing")
def test_the_number_of_split_groups():
    # The groups end at rows 20, 35, 40 and 60.
    groups = np.repeat(list("abcd"), [20, 15, 5, 20])
    # Three folds end at 20 and 40, four at 15, 30 and 45.
    assert texts_of(lambda: search(RANKERS[0], cv=KFold(3)).fit(X, Y, groups=groups)) == []
    (text,) = texts_of(lambda: search(RANKERS[0], cv=KFold(4)).fit(X, Y, groups=groups))
    assert "3 of 4 groups have rows in both" in text


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    "cv",
    [GroupKFold(3), LeaveOneGroupOut(), StratifiedGroupKFold(3), list(GroupKFold(3).split(X, Y, GROUPS))],
    ids=lambda cv: type(cv).__name__,
)
def test_folds_of_whole_groups_warn_of_nothing(cv):
    assert texts_of(lambda: search(RANKERS[0], cv=cv).fit(X, Y, groups=GROUPS)) == []


@pytest.mark.usefixtures("routing")
def test_groups_under_another_name():
    ranker = PairwiseRanker(**SMALL).set_fit_request(groups="qid").set_score_request(groups="qid")
    for estimator in (ranker, make_pipeline(StandardScaler(), ranker)):
        (text,) = texts_of(lambda: search(estimator, {}).fit(X, Y, qid=GROUPS))  # noqa: B023
        assert text.startswith("cv=3 ignores groups")


def test_groups_for_a_step_without_routing():
    pipeline = make_pipeline(StandardScaler(), PairwiseRanker(**SMALL))
    with pytest.warns(UserWarning, match="cv=3 ignores groups"):
        search(pipeline, {}, scoring="r2", refit=False).fit(X, Y, pairwiseranker__groups=GROUPS)


@each_ranker
def test_groups_in_a_column(ranker):
    by_name, by_index = (clone(ranker).set_params(group_column=column) for column in ("qid", 3))
    passed = ColumnTransformer([("scale", StandardScaler(), ["a"])], remainder="passthrough")
    passed.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
    for estimator, table in (
        (by_name, TABLE),
        (by_index, TABLE.to_numpy()),
        (make_pipeline(passed, by_name), TABLE),
    ):
        # KFold warns of groups, too, but does not say what to do.
        for data in ({}, {"groups": GROUPS}):
            (text,) = texts_of(lambda: search(estimator, {}).fit(table, Y, **data))  # noqa: B023
            assert text.startswith("cv=3 ignores groups; pass GroupKFold(3)")
        search(estimator, {}, cv=GroupKFold(3)).fit(table, Y, groups=GROUPS)


def test_a_column_that_only_the_steps_of_a_pipeline_know():
    moved = ColumnTransformer([("group", "passthrough", [3]), ("rest", "passthrough", [0, 1, 2])])
    pipeline = make_pipeline(moved, PairwiseRanker(group_column=0, **SMALL))
    search(pipeline, {}).fit(TABLE.to_numpy(), Y)


def test_a_missing_column_is_an_error_of_each_fit():
    ranker = PairwiseRanker(group_column="query", **SMALL)
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        search(ranker, {}).fit(TABLE, Y)


@pytest.mark.usefixtures("routing")
def test_a_search_that_is_not_stacked_says_so_too():
    ranker = PairwiseRanker(2, module=torch.nn.Linear, **SMALL)
    one_by_one, split = texts_of(lambda: search(ranker, {}).fit(X, Y, groups=GROUPS))
    assert "one by one" in one_by_one
    assert split.startswith("cv=3 ignores groups")


# Pairs, whose groups serve the splitter


@pytest.fixture(scope="module")
def judgments():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 3)).astype(np.float32)
    pairs = np.array([(i, j) for i, j in rng.integers(0, 30, (90, 2)) if i != j])
    y = np.where(points[pairs[:, 0], 0] > points[pairs[:, 1], 0], 1, -1)
    y[::9] = 0
    return points, pairs, y, np.arange(len(y)) % 4


@pytest.mark.parametrize("kind", [GridSearchCV, BatchedGridSearchCV])
@pytest.mark.parametrize("is_routed", [True, False])
def test_preferences_are_split_by_annotator(kind, is_routed, judgments):
    points, pairs, y, annotator = judgments
    ranker, folds = PairwiseRanker(**SMALL), list(GroupKFold(4).split(pairs, y, annotator))
    expected = kind(ranker, GRID, cv=folds).fit(points[pairs], y).cv_results_["mean_test_score"]
    with sklearn.config_context(enable_metadata_routing=is_routed):
        by_points = kind(ranker, GRID, cv=GroupKFold(4)).fit(points[pairs], y, groups=annotator)
        indexed = clone(ranker).set_params(preprocessor=Rows(points))
        by_index = kind(indexed, GRID, cv=GroupKFold(4)).fit(pairs, y, groups=annotator)
    assert_array_equal(by_points.cv_results_["mean_test_score"], expected)
    assert_array_equal(by_index.cv_results_["mean_test_score"], expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_groups_of_pairs_change_neither_fit_nor_score(early_stopping, judgments):
    points, pairs, y, annotator = judgments
    ranker = PairwiseRanker(early_stopping=early_stopping, **SMALL)
    plain = clone(ranker).fit(points[pairs], y)
    grouped = ranker.fit(points[pairs], y, groups=annotator)
    assert not grouped.has_groups_
    assert_array_equal(grouped.score_samples(points), plain.score_samples(points))
    expected = plain.score(points[pairs], y)
    assert grouped.score(points[pairs], y, groups=annotator) == grouped.score(points[pairs], y) == expected
    for wrong in (annotator[1:], annotator[y != 0]):
        with pytest.raises(ValueError, match=r"groups must hold one id per pair, got \d+ ids for \d+ pairs"):
            grouped.score(points[pairs], y, groups=wrong)
    with pytest.raises(ValueError, match="was fitted on pairs"):
        spearman_scorer(grouped, points[pairs], y, groups=annotator)


@pytest.mark.usefixtures("routing")
def test_folds_that_ignore_annotators_are_named(judgments):
    points, pairs, y, annotator = judgments
    with pytest.warns(UserWarning, match=r"cv=5 ignores groups; pass GroupKFold\(4\)"):
        search(PairwiseRanker(**SMALL), {}, cv=5).fit(points[pairs], y, groups=annotator)


@pytest.mark.parametrize("kind", [GridSearchCV, BatchedGridSearchCV])
@pytest.mark.parametrize("is_routed", [True, False])
def test_tuples_of_embedders_are_split_by_annotator(kind, is_routed, judgments):
    points, pairs, y, annotator = judgments
    is_similar = np.where(y == 0, 1, y)
    triplets = np.random.default_rng(0).normal(size=(len(y), 3, 3))
    with sklearn.config_context(enable_metadata_routing=is_routed):
        for embedder, data in (
            (ContrastiveEmbedder(**SMALL), (points[pairs], is_similar)),
            (TripletEmbedder(**SMALL), (triplets, None)),
        ):
            found = kind(embedder, GRID, cv=GroupKFold(4)).fit(*data, groups=annotator)
            assert found.n_splits_ == 4
            assert np.isfinite(found.cv_results_["mean_test_score"]).all()


# Baselines


@pytest.mark.parametrize(
    ("cv", "shown"),
    [
        (None, r"cv=None \(5 folds\) ignores groups; pass StratifiedGroupKFold\(5\)"),
        (3, r"cv=3 ignores groups; pass StratifiedGroupKFold\(3\)"),
        (StratifiedKFold(3), r"cv=StratifiedKFold\(n_splits=3.* pass StratifiedGroupKFold\(3\)"),
        (ClassDisjointKFold(3), r"cv=ClassDisjointKFold\(.* ignores groups; pass GroupKFold\(3\)"),
    ],
    ids=str,
)
def test_a_comparison_names_folds_that_ignore_groups(cv, shown):
    y, groups = np.arange(60) % 6, np.arange(60) // 5
    embedders = {"small": TripletEmbedder(**SMALL)}
    with pytest.warns(UserWarning, match=shown) as caught:
        compare_baselines(X, y, cv=cv, groups=groups, embedders=embedders, random_state=0)
    assert sum("groups" in str(each.message) for each in caught) == 1


def test_a_comparison_of_tuples_names_them_too(judgments):
    points, pairs, y, annotators = judgments
    decided = y != 0
    folds = KFold(3, shuffle=True, random_state=0)
    texts = texts_of(
        lambda: compare_baselines(
            points[pairs[decided]], y[decided], cv=folds, groups=annotators[decided], embedders=[], random_state=0
        )
    )
    assert [text for text in texts if "ignores groups; pass GroupKFold(3)" in text] == texts


# Estimators of others


class GroupedRidge(Ridge):
    """An estimator of another library with a parameter of the same name."""

    def __init__(self, alpha=1.0, group_column=None):
        super().__init__(alpha=alpha)
        self.group_column = group_column


def test_the_group_column_of_a_foreign_estimator():
    numbers = TABLE.drop(columns="qid").assign(qid=GROUPS)
    for column, n_texts in (("qid", 2), ("no column", 1), ([1, 2], 1)):
        texts = texts_of(
            lambda column=column: search(GroupedRidge(group_column=column), {"alpha": [1, 2]}).fit(numbers, Y)
        )
        assert "one by one" in texts[0]
        assert len(texts) == n_texts


def test_a_search_one_by_one_draws_the_folds_of_scikit_learn():
    """Looking at groups must not draw random numbers from a splitter that the search uses."""
    states = []
    for kind in (GridSearchCV, BatchedGridSearchCV):
        generator = np.random.RandomState(0)
        found = kind(
            GroupedRidge(group_column="qid"), {"alpha": [1, 100]}, cv=KFold(3, shuffle=True, random_state=generator)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.fit(TABLE, Y)
        states.append((found.cv_results_["mean_test_score"].tolist(), generator.randint(10**6)))
    assert states[0] == states[1]
