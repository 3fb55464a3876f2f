import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, check_cv, cross_val_score

from skmetric.model_selection import DensityStratifiedKFold

Y = np.random.default_rng(0).lognormal(0, 1.5, 203)
X = np.column_stack([np.log(Y), np.arange(203.0)])


def folds_of(splitter, y):
    """Return the fold of each row."""
    folds = np.full(len(y), -1)
    for fold, (train, test) in enumerate(splitter.split(np.zeros((len(y), 1)), y)):
        assert (folds[test] == -1).all()
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y)))
        folds[test] = fold
    return folds


splitters = st.builds(
    lambda n_splits, seed: DensityStratifiedKFold(n_splits, shuffle=seed is not None, random_state=seed),
    st.integers(2, 7),
    st.none() | st.integers(0, 20),
)
targets = st.lists(st.integers(-20, 20), min_size=7, max_size=60).map(lambda y: np.array(y, dtype=float))


# Assignment of rows to folds


@given(splitters, targets)
def test_every_row_is_in_one_fold_and_sizes_differ_by_1(splitter, y):
    sizes = np.bincount(folds_of(splitter, y), minlength=splitter.n_splits)
    assert sizes.sum() == len(y)
    assert sizes.max() - sizes.min() <= 1
    assert splitter.get_n_splits() == splitter.get_n_splits(y, y, y) == splitter.n_splits


@given(splitters, targets)
def test_every_fold_has_one_of_the_extreme_rows(splitter, y):
    k = splitter.n_splits
    ordered = folds_of(splitter, y)[np.argsort(y, kind="stable")]
    assert set(ordered[-k:]) == set(range(k))
    if len(y) >= 2 * k:
        assert set(ordered[:k]) == set(range(k))


@given(splitters, targets)
def test_runs_are_dealt_out(splitter, y):
    """Below and above the incomplete run, each run has each fold once."""
    k = splitter.n_splits
    ordered = folds_of(splitter, y)[np.argsort(y, kind="stable")]
    below = len(y) // k // 2 * k
    rest = len(y) % k
    for half in (ordered[:below], ordered[below + rest :]):
        assert (np.sort(half.reshape(-1, k), axis=1) == np.arange(k)).all()
    assert len(set(ordered[below : below + rest])) == rest


def test_by_hand():
    y = [50, 10, 20, 40, 30, 60, 70, 80]
    # Sorted: 10 20 30 | 40 50 | 60 70 80, dealt from fold 0, from fold 1, from fold 2.
    np.testing.assert_array_equal(folds_of(DensityStratifiedKFold(3), y), [2, 0, 1, 1, 2, 2, 0, 1])


def test_ties_are_dealt_in_the_order_of_rows():
    np.testing.assert_array_equal(folds_of(DensityStratifiedKFold(2), np.ones(6)), [0, 1, 1, 0, 0, 1])


def test_folds_take_turns():
    k = 5
    ranks = np.argsort(np.argsort(Y[:200]))
    folds = folds_of(DensityStratifiedKFold(k), Y[:200])
    np.testing.assert_allclose([ranks[folds == fold].mean() for fold in range(k)], ranks.mean())


def test_means_are_closer_than_by_chance():
    def spread(splitter):
        folds = folds_of(splitter, Y)
        return np.std([np.log(Y)[folds == fold].mean() for fold in range(5)])

    chance = np.mean([spread(KFold(5, shuffle=True, random_state=seed)) for seed in range(10)])
    assert spread(DensityStratifiedKFold(5)) < chance / 5
    assert spread(DensityStratifiedKFold(5, shuffle=True, random_state=0)) < chance / 5


# Randomness


def test_determinism():
    plain = DensityStratifiedKFold(4)
    np.testing.assert_array_equal(folds_of(plain, Y), folds_of(plain, Y))
    seeded = DensityStratifiedKFold(4, shuffle=True, random_state=3)
    np.testing.assert_array_equal(folds_of(seeded, Y), folds_of(seeded, Y))
    other = DensityStratifiedKFold(4, shuffle=True, random_state=4)
    assert (folds_of(seeded, Y) != folds_of(other, Y)).any()
    assert (folds_of(seeded, Y) != folds_of(plain, Y)).any()


def test_a_random_state_moves_on():
    splitter = DensityStratifiedKFold(4, shuffle=True, random_state=np.random.RandomState(0))
    first = folds_of(splitter, Y)
    assert (folds_of(splitter, Y) != first).any()
    again = DensityStratifiedKFold(4, shuffle=True, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(folds_of(again, Y), first)


def test_permutations_are_fair():
    largest = [
        folds_of(DensityStratifiedKFold(4, shuffle=True, random_state=seed), np.arange(8.0))[7] for seed in range(400)
    ]
    assert np.bincount(largest, minlength=4).min() > 70


# In model selection


@pytest.mark.parametrize("routing", [False, True])
def test_in_cross_val_score_and_grid_search(routing):
    splitter = DensityStratifiedKFold(4)
    expected = cross_val_score(Ridge(), X, Y, cv=list(splitter.split(X, Y)))
    with sklearn.config_context(enable_metadata_routing=routing):
        np.testing.assert_array_equal(cross_val_score(Ridge(), X, Y, cv=splitter), expected)
        search = GridSearchCV(Ridge(), {"alpha": [1.0, 1e4]}, cv=splitter).fit(X, Y)
    assert search.n_splits_ == 4
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(expected.mean())
    assert repr(clone(search).cv) == repr(splitter)


def test_scikit_learn_takes_it_as_a_splitter():
    splitter = DensityStratifiedKFold()
    assert check_cv(splitter) is splitter
    assert repr(splitter) == "DensityStratifiedKFold(n_splits=5, random_state=None, shuffle=False)"


def test_kinds_of_input():
    expected = folds_of(DensityStratifiedKFold(3), Y)
    np.testing.assert_array_equal(folds_of(DensityStratifiedKFold(np.int64(3)), Y.tolist()), expected)
    np.testing.assert_array_equal(folds_of(DensityStratifiedKFold(3), pd.Series(Y, index=range(300, 503))), expected)
    np.testing.assert_array_equal(folds_of(DensityStratifiedKFold(3), Y[:, np.newaxis]), expected)


def test_groups_are_ignored_with_a_warning():
    splitter = DensityStratifiedKFold(3)
    with pytest.warns(UserWarning, match="groups are ignored by DensityStratifiedKFold.* Use GroupKFold"):
        splits = list(splitter.split(X, Y, np.zeros(203)))
    np.testing.assert_array_equal(splits[1][1], list(splitter.split(X, Y))[1][1])


# Errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "n_splits must be an integer of at least 2, got n_splits=1"),
        ({"n_splits": 2.0}, ValueError, "n_splits must be an integer of at least 2, got n_splits=2.0"),
        ({"n_splits": True}, ValueError, "n_splits must be an integer of at least 2"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False, got 1 of type int"),
        ({"random_state": 0}, ValueError, "random_state must be None without shuffle=True, got random_state=0"),
    ],
)
def test_parameters_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        DensityStratifiedKFold(**options)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y must be given, because DensityStratifiedKFold .* got y=None"),
        (np.zeros((4, 2)), r"y must have one number per row, shape \(n_samples,\), got shape \(4, 2\)"),
        ([0, 1, np.nan, 2], "y must have no missing values .* got one in row 2"),
        (["a", "b", "c", "d"], "y must hold numbers"),
        ([0, 1, 2], r"inconsistent numbers of samples: \[4, 3\]"),
    ],
)
def test_y_is_checked(y, message):
    with pytest.raises(ValueError, match=message):
        next(DensityStratifiedKFold(2).split(np.zeros((4, 1)), y))


def test_more_folds_than_rows():
    with pytest.raises(ValueError, match="n_splits must be at most the number of rows, got n_splits=5 and 4 rows"):
        next(DensityStratifiedKFold(5).split(np.zeros((4, 1)), np.arange(4)))
    assert folds_of(DensityStratifiedKFold(4), np.arange(4)).tolist() == [0, 1, 2, 3]
