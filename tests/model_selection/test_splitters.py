import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, check_cv, cross_val_predict, cross_val_score
from sklearn.svm import SVC

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.metrics import map_at_r_scorer
from skmetric.model_selection import ClassDisjointKFold, TupleKFold
from skmetric.model_selection.search import BatchedGridSearchCV

SPLITTERS = [ClassDisjointKFold, TupleKFold]
BOTH = pytest.mark.parametrize("kind", SPLITTERS)


def splitter_of(kind, n_splits, seed):
    return kind(n_splits, shuffle=seed is not None, random_state=seed)


seeds = st.none() | st.integers(0, 20)


# Classes: assignment of rows to folds


def class_folds(splitter, y):
    """Return the fold of each row."""
    folds = np.full(len(y), -1)
    for fold, (train, test) in enumerate(splitter.split(np.zeros((len(y), 1)), y)):
        assert (folds[test] == -1).all()
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y)))
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
        assert not set(np.asarray(y)[train]) & set(np.asarray(y)[test])
        folds[test] = fold
    assert (folds >= 0).all()
    return folds


@st.composite
def class_tables(draw):
    """Draw n_splits, and the class of each row: at least n_splits classes of two rows, and 2 * n_splits classes."""
    k = draw(st.integers(2, 5))
    repeated = draw(st.lists(st.integers(2, 30), min_size=k, max_size=3 * k))
    others = draw(st.lists(st.integers(1, 4), min_size=max(0, 2 * k - len(repeated)), max_size=20))
    y = np.repeat(np.arange(len(repeated + others)), repeated + others)
    return k, draw(st.randoms(use_true_random=False)).sample(y.tolist(), len(y))


@given(class_tables(), seeds)
def test_classes_are_kept_together_and_folds_even(table, seed):
    k, y = table
    splitter = splitter_of(ClassDisjointKFold, k, seed)
    folds = class_folds(splitter, y)
    sizes = np.bincount(folds, minlength=k)
    assert sizes.max() - sizes.min() <= np.bincount(y).max()
    for fold in range(k):
        counts = np.unique(np.array(y)[folds == fold], return_counts=True)[1]
        assert len(counts) >= 2
        assert counts.max() >= 2
    assert splitter.get_n_splits() == splitter.get_n_splits(y, y, y) == k


@given(class_tables())
def test_the_order_of_rows_does_not_matter(table):
    k, y = table
    order = np.random.default_rng(0).permutation(len(y))
    folds = class_folds(ClassDisjointKFold(k), y)
    np.testing.assert_array_equal(class_folds(ClassDisjointKFold(k), np.array(y)[order]), folds[order])


def test_classes_by_hand():
    y = np.repeat(np.arange(8), [9, 8, 7, 6, 3, 2, 1, 1])
    # 9 | 8 | 7, then 6 to the third, 3 to the second; of the smallest three, 2 to the first, 1 to the second, 1 to the
    # third: 11 | 12 | 14.
    folds = class_folds(ClassDisjointKFold(3), y)
    np.testing.assert_array_equal(folds[np.searchsorted(y, np.arange(8))], [0, 1, 2, 2, 1, 0, 1, 2])


def test_many_small_classes_make_up_for_a_large_one():
    y = np.repeat(np.arange(401), [100] + [1] * 200 + [2] * 200)
    assert np.bincount(class_folds(ClassDisjointKFold(5), y)).tolist() == [140] * 5


def test_a_class_larger_than_a_fold_gets_one_more():
    y = np.repeat(np.arange(41), [1000] + [10] * 40)
    folds = class_folds(ClassDisjointKFold(5), y)
    assert sorted(np.bincount(folds)) == [90, 100, 100, 100, 1010]


def test_equal_classes_are_dealt_in_sorted_order():
    y = np.array(["f", "e", "d", "c", "b", "a"] * 2)
    np.testing.assert_array_equal(class_folds(ClassDisjointKFold(2), y), [1, 0, 1, 0, 1, 0] * 2)


def test_any_two_classes_meet_and_part_when_shuffled():
    y = np.repeat(np.arange(12), [5] * 6 + [3] * 6)
    together = np.zeros((12, 12))
    for seed in range(200):
        fold = class_folds(ClassDisjointKFold(3, shuffle=True, random_state=seed), y)[np.searchsorted(y, np.arange(12))]
        together += fold[:, np.newaxis] == fold
    share = together[~np.eye(12, dtype=bool)] / 200
    assert share.min() > 0.05
    assert share.max() < 0.6


def test_kinds_of_labels():
    y = np.random.default_rng(0).integers(0, 8, 60)
    expected = class_folds(ClassDisjointKFold(3), y)
    names = np.array([f"class {label}" for label in y])
    for labels in (y.tolist(), names, names.astype(object), y.astype(float)):
        np.testing.assert_array_equal(class_folds(ClassDisjointKFold(np.int64(3)), labels), expected)
    splits = ClassDisjointKFold(3).split(None, pd.Series(names, index=range(100, 160)))
    np.testing.assert_array_equal(next(splits)[1], np.flatnonzero(expected == 0))
    splits = ClassDisjointKFold(3).split(None, pd.Series(names, dtype="category"))
    np.testing.assert_array_equal(next(splits)[1], np.flatnonzero(expected == 0))
    splits = ClassDisjointKFold(3).split(None, y[:, np.newaxis])
    np.testing.assert_array_equal(next(splits)[1], np.flatnonzero(expected == 0))


@pytest.mark.parametrize(
    ("n_splits", "y", "error", "message"),
    [
        (
            4,
            np.arange(7).repeat(2),
            ValueError,
            "at most half the number of classes.* got n_splits=4 and 7 .*n_splits=3",
        ),
        (2, [0, 0, 1, 1, 2], ValueError, "got n_splits=2 and 3 classes. Use StratifiedKFold"),
        (2, [0, 0, 1, 2, 3], ValueError, "two or more rows, .* got n_splits=2 and 1 such classes. Use fewer folds"),
        (2, None, ValueError, "y must be given, because ClassDisjointKFold .* got y=None"),
        (2, np.zeros((5, 2)), ValueError, r"y must have one label per row, shape \(n_samples,\), got shape \(5, 2\)"),
        (2, [0, 1, np.nan, 2, 2], ValueError, "y must have no missing values .* got one in row 2"),
        (2, ["a", None, "b", "b", "a"], ValueError, "y must have no missing values .* got one in row 1"),
        (2, ["a", 1, "b", "b", "a"], TypeError, "y must hold values of one kind"),
        (2, [0, 1, 2, 3], ValueError, r"inconsistent numbers of samples: \[5, 4\]"),
    ],
)
def test_classes_are_checked(n_splits, y, error, message):
    X = np.zeros((14 if n_splits == 4 else 5, 1))
    with pytest.raises(error, match=message):
        next(ClassDisjointKFold(n_splits).split(X, y))


def test_as_many_folds_as_possible():
    assert sorted(np.bincount(class_folds(ClassDisjointKFold(3), np.arange(6).repeat(2)))) == [4, 4, 4]
    assert sorted(np.bincount(class_folds(ClassDisjointKFold(2), [0, 0, 1, 1, 2, 3]))) == [3, 3]


# Tuples: assignment of tuples to folds


def tuple_parts(splitter, X, y=None):
    """Return the training and test part of each fold, and the fold that tests each tuple, or -1."""
    parts = list(splitter.split(X, y))
    tested = np.full(len(X), -1)
    for fold, (train, test) in enumerate(parts):
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
        assert len(train)
        assert len(test)
        assert (tested[test] == -1).all()
        tested[test] = fold
    assert len(parts) == splitter.get_n_splits(X, y)
    return parts, tested


def component_of(tuples):
    """Return the component of each tuple, by spreading the smallest number until nothing changes."""
    names = np.arange(tuples.max() + 1)
    while True:
        before = names.copy()
        for members in tuples:
            names[members] = names[members].min()
        if (names == before).all():
            return names[tuples[:, 0]]


def random_tuples(seed, n, n_points, size=2):
    return np.random.default_rng(seed).integers(0, n_points, (n, size))


@st.composite
def tuple_tables(draw):
    size = draw(st.sampled_from([2, 3]))
    n = draw(st.integers(30, 120))
    return random_tuples(draw(st.integers(0, 1000)), n, draw(st.integers(40, 150)), size)


@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
@given(tuple_tables(), st.integers(2, 4), seeds, st.booleans())
def test_no_point_is_shared(tuples, k, seed, with_labels):
    y = np.where(np.arange(len(tuples)) % 2, "similar", "different") if with_labels else None
    try:
        parts, tested = tuple_parts(splitter_of(TupleKFold, k, seed), tuples, y)
    except ValueError as error:
        if "n_splits must leave training and test tuples" not in str(error):
            raise
        return
    for fold, (train, test) in enumerate(parts):
        assert not set(tuples[train].ravel()) & set(tuples[test].ravel())
        if with_labels:
            assert len(set(y[train])) == len(set(y[test])) == 2
        assert set(np.flatnonzero((tested >= 0) & (tested != fold))) <= set(train)


@given(tuple_tables(), st.integers(2, 4))
@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
def test_the_order_of_tuples_does_not_matter(tuples, k):
    order = np.random.default_rng(0).permutation(len(tuples))
    try:
        _, tested = tuple_parts(TupleKFold(k), tuples)
    except ValueError:
        return
    np.testing.assert_array_equal(tuple_parts(TupleKFold(k), tuples[order])[1], tested[order])


@given(st.integers(2, 5), st.lists(st.integers(2, 9), min_size=15, max_size=30), seeds, st.booleans())
def test_small_components_are_kept(k, lengths, seed, in_triplets):
    """Chains of tuples: no tuple is lost, and folds are even."""
    starts = np.cumsum([0, *lengths]) + 2 * np.arange(len(lengths) + 1)
    tuples = np.array(
        [
            [start + i, start + i + 1] + [start + i + 2] * in_triplets
            for start, length in zip(starts, lengths, strict=False)
            for i in range(length)
        ]
    )
    component = component_of(tuples)
    parts, tested = tuple_parts(splitter_of(TupleKFold, k, seed), tuples)
    assert (tested >= 0).all()
    assert all(len(train) + len(test) == len(tuples) for train, test in parts)
    assert len(set(zip(component, tested, strict=True))) == len(set(component)) == len(lengths)
    sizes = np.bincount(tested, minlength=k)
    assert sizes.max() - sizes.min() <= max(lengths)


def test_a_component_is_kept_up_to_one_and_a_half_folds():
    def chains(*lengths):
        return np.concatenate(
            [100 * c + np.column_stack([np.arange(n), np.arange(n) + 1]) for c, n in enumerate(lengths)]
        )

    assert (tuple_parts(TupleKFold(2), chains(75, 15, 10))[1] >= 0).all()
    tested = tuple_parts(TupleKFold(2), chains(77, 13, 10))[1]
    assert (tested[77:] >= 0).all()
    assert 0 < np.count_nonzero(tested[:77] < 0) < 5


def test_too_few_components_are_divided():
    tuples = np.concatenate([100 * c + random_tuples(c, 60, 50) for c in range(3)])
    assert (tuple_parts(TupleKFold(3), tuples)[1] >= 0).mean() > 0.9
    tested = tuple_parts(TupleKFold(5), tuples)[1]
    assert 0.5 < (tested >= 0).mean() < 1


@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
@pytest.mark.parametrize(
    ("tuples", "least", "by_points_alone"),
    [
        (np.column_stack([np.arange(1000), np.arange(1, 1001) % 1000]), 0.95, 0.2),
        (random_tuples(0, 1000, 500), 0.45, 0.2),
        (random_tuples(1, 1000, 150), 0.27, 0.2),
        (random_tuples(2, 1000, 1000, size=3), 0.33, 0.04),
        (random_tuples(3, 1000, 100, size=3), 0.07, 0.04),
    ],
    ids=["ring", "sparse pairs", "dense pairs", "sparse triplets", "dense triplets"],
)
def test_fewer_are_lost_than_by_points_alone(tuples, least, by_points_alone):
    shares = [(tuple_parts(TupleKFold(5, shuffle=True, random_state=seed), tuples)[1] >= 0).mean() for seed in range(5)]
    assert min(shares) > least > by_points_alone


@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
def test_users_and_items():
    """All pairs of users and items: each fold gets its share of both."""
    users, items = np.divmod(np.arange(20 * 200), 200)
    parts, tested = tuple_parts(TupleKFold(5), np.column_stack([users, 20 + items]))
    sizes = np.bincount(tested[tested >= 0])
    assert (tested >= 0).mean() > 0.12
    assert sizes.min() > sizes.max() / 4
    assert min(len(train) for train, _ in parts) > 0.55 * len(tested)


@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
def test_labels_do_not_decide_what_is_tested():
    rng = np.random.default_rng(0)
    anchors = rng.integers(0, 150, 1000)
    others = np.where(np.arange(1000) % 2, rng.integers(0, 15, 1000) + anchors // 15 * 15, rng.integers(0, 150, 1000))
    similar = anchors // 15 == others // 15
    shares = [
        similar[
            tuple_parts(TupleKFold(5, shuffle=True, random_state=seed), np.column_stack([anchors, others]))[1] >= 0
        ].mean()
        for seed in range(10)
    ]
    assert abs(np.mean(shares) - similar.mean()) < 0.1


# Tuples: labels


def test_disjoint_pairs_are_stratified():
    y = np.repeat([1, -1], [30, 70])
    _, tested = tuple_parts(TupleKFold(5), np.arange(200).reshape(-1, 2), y)
    assert np.bincount(tested[y == 1]).tolist() == [6] * 5
    assert np.bincount(tested[y == -1]).tolist() == [14] * 5


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_components_of_one_label_are_spread(seed):
    """Five of each label, two mixed, in cliques of equal size."""
    cliques = np.array([(a, b) for a in range(5) for b in range(a)])
    tuples = np.concatenate([10 * c + cliques for c in range(12)])
    y = np.repeat([1] * 5 + [0] * 5 + [0] * 2, len(cliques))
    y[-1] = y[-len(cliques) - 1] = 1
    parts, tested = tuple_parts(splitter_of(TupleKFold, 5, seed), tuples, y)
    assert (tested >= 0).all()
    assert all(len(set(y[test])) == 2 for _, test in parts)


def test_components_of_one_label_are_divided_where_they_must():
    tuples = np.concatenate([random_tuples(0, 60, 40), 100 + random_tuples(1, 60, 40)])
    y = np.repeat([1, -1], 60)
    assert (tuple_parts(TupleKFold(2), tuples)[1] >= 0).all()
    parts, tested = tuple_parts(TupleKFold(2), tuples, y)
    assert all(len(set(y[test])) == len(set(y[train])) == 2 for train, test in parts)
    assert 0.5 < (tested >= 0).mean() < 1


def test_other_y_only_counts():
    tuples = np.arange(40).reshape(-1, 2)
    expected = tuple_parts(TupleKFold(4), tuples)[1]
    for y in (np.ones(20), np.arange(20) % 3 - 1, np.linspace(0, 1, 20), ["same"] * 20):
        np.testing.assert_array_equal(tuple_parts(TupleKFold(4), tuples, y)[1], expected)


# Tuples: kinds of input


@pytest.mark.filterwarnings("ignore:.* of the .* tuples are in no test part")
@pytest.mark.parametrize("size", [2, 3])
def test_points_are_identified_by_their_features(size):
    indices = random_tuples(0, 200, 150, size)
    table = np.random.default_rng(0).choice([-0.0, 0.0, 1.0, np.nan], (150, 8))
    codes = np.unique(np.nan_to_num(table, nan=2.0), axis=0, return_inverse=True)[1].ravel()
    negative = np.where(table == 0, -0.0, table)
    X = np.where(np.random.default_rng(1).random((200, size, 1)) < 0.5, table[indices], negative[indices])
    for points in (X, X.astype(np.float32), X.tolist()):
        parts, tested = tuple_parts(TupleKFold(3), points)
        for train, test in parts:
            assert not set(codes[indices[train]].ravel()) & set(codes[indices[test]].ravel())
    if size == 2:
        assert (tested >= 0).mean() > 0.5


def test_kinds_of_indices():
    indices = np.arange(60).reshape(-1, 2) // 4 * 2
    expected = tuple_parts(TupleKFold(3), indices)[1]
    frame = pd.DataFrame(indices, columns=["a", "b"], index=range(100, 130))
    for X in (indices.tolist(), frame, indices.astype(np.int8), indices.astype(float), indices.astype(object)):
        np.testing.assert_array_equal(tuple_parts(TupleKFold(np.int64(3)), X)[1], expected)


def test_a_pair_that_comes_often():
    """Its count must not overflow."""
    tuples = np.repeat([[0, 1], [2, 3]], 256, axis=0)
    assert set(zip(tuples[:, 0], tuple_parts(TupleKFold(2), tuples)[1], strict=True)) in [
        {(0, 0), (2, 1)},
        {(0, 1), (2, 0)},
    ]


# Tuples: warning and errors


def test_a_warning_says_how_many_are_lost():
    tuples = random_tuples(0, 1000, 100)
    with pytest.warns(UserWarning, match=r"\d\d% of the 1000 tuples are in no test part.* split the rows") as record:
        parts = list(TupleKFold(5).split(tuples))
    lost = 1 - sum(len(test) for _, test in parts) / 1000
    assert str(record[0].message).startswith(f"{lost:.0%} of")
    assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 5), dtype=int), r"X must hold pairs or triplets: .*got shape \(4, 5\).* np.stack"),
        (np.zeros((4, 4, 3)), r"X must hold pairs or triplets: .*got shape \(4, 4, 3\)"),
        (np.arange(4), r"X must hold pairs or triplets: .*got shape \(4,\)"),
        (
            np.full((4, 2), 0.5),
            r"X must hold indices, which are whole numbers, or other ids .* got numbers with fractions",
        ),
        (np.full((4, 2), np.nan), "X must have no missing values .* got one in tuple 0, and 8 missing values in all"),
        ([[0, 1], [2, -1]], "X must hold indices of at least 0, got -1"),
    ],
)
def test_tuples_are_checked(X, message):
    with pytest.raises(ValueError, match=message):
        next(TupleKFold(2).split(X))


@pytest.mark.parametrize("seed", range(3))
def test_tuples_of_other_ids_are_split_as_tuples_of_indices(seed):
    tuples = random_tuples(seed, 60, 40)
    names = np.array([f"{index:03d}" for index in range(40)])[tuples]
    expected = [part.tolist() for parts in TupleKFold(2).split(tuples) for part in parts]
    for named in (names, names.tolist(), names.astype(object)):
        assert [part.tolist() for parts in TupleKFold(2).split(named) for part in parts] == expected


STAR = np.column_stack([np.zeros(50, dtype=int), np.arange(1, 51)])


@pytest.mark.parametrize(
    ("X", "y", "n_splits", "message"),
    [
        (STAR, None, 2, "got n_splits=2 for 50 tuples of 51 points: .* without a test tuple. Use fewer"),
        ([[0, 1], [2, 3]], None, 3, "got n_splits=3 for 2 tuples of 4 points: .* without a test tuple"),
        ([[0, 1]], None, 2, "without a test tuple"),
        (np.arange(20).reshape(-1, 2), [1] + [0] * 9, 2, "without training tuples of both labels of y"),
        (np.arange(20).reshape(-1, 2), np.ones((10, 2)), 2, r"y must have one label per row.* \(10, 2\)"),
        (np.arange(20).reshape(-1, 2), np.ones(9), 2, r"inconsistent numbers of samples: \[10, 9\]"),
    ],
)
def test_what_cannot_be_divided(X, y, n_splits, message):
    with pytest.raises(ValueError, match=message):
        next(TupleKFold(n_splits).split(X, y))


# Both: randomness, parameters, scikit-learn


ROWS, CLASSES = make_blobs(np.arange(6, 18), 5, cluster_std=4.0, random_state=0)
DATA = {
    ClassDisjointKFold: (ROWS, CLASSES),
    TupleKFold: (np.arange(0, 160).reshape(-1, 2) // 3, np.arange(80) % 2 * 2 - 1),
}


def parts_of(splitter):
    return [test.tolist() for _, test in splitter.split(*DATA[type(splitter)])]


@BOTH
def test_determinism(kind):
    plain = kind(4)
    assert parts_of(plain) == parts_of(plain)
    seeded = kind(4, shuffle=True, random_state=3)
    assert parts_of(seeded) == parts_of(seeded) == parts_of(pickle.loads(pickle.dumps(seeded)))
    assert parts_of(seeded) != parts_of(kind(4, shuffle=True, random_state=4))
    assert parts_of(seeded) != parts_of(plain)


@BOTH
def test_a_random_state_moves_on(kind):
    splitter = kind(4, shuffle=True, random_state=np.random.RandomState(0))
    as_new = copy.deepcopy(splitter)
    first = parts_of(splitter)
    assert parts_of(splitter) != first
    assert parts_of(as_new) == first


@BOTH
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "n_splits must be an integer of at least 2, got n_splits=1"),
        ({"n_splits": 2.0}, ValueError, "n_splits must be an integer of at least 2, got n_splits=2.0"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False, got 1 of type int"),
        ({"random_state": 0}, ValueError, "random_state must be None without shuffle=True, got random_state=0"),
    ],
)
def test_parameters_are_checked(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(**options)


@BOTH
def test_groups_are_ignored_with_a_warning(kind):
    X, y = DATA[kind]
    with pytest.warns(UserWarning, match=f"groups are ignored by {kind.__name__}.* Use GroupKFold") as record:
        splits = list(kind(3).split(X, y, np.zeros(len(y))))
    assert [test.tolist() for _, test in splits] == parts_of(kind(3))
    assert record[0].filename == __file__


@BOTH
def test_scikit_learn_takes_it_as_a_splitter(kind):
    splitter = kind()
    assert check_cv(splitter) is splitter
    assert repr(splitter) == f"{kind.__name__}(n_splits=5, random_state=None, shuffle=False)"
    assert not hasattr(splitter, "set_split_request")


@pytest.mark.parametrize("routing", [False, True])
def test_classes_in_cross_val_score_and_grid_search(routing):
    splitter = ClassDisjointKFold(3, shuffle=True, random_state=0)
    folds = list(splitter.split(ROWS, CLASSES))
    expected = cross_val_score(PCA(2), ROWS, CLASSES, cv=folds, scoring=map_at_r_scorer)
    with sklearn.config_context(enable_metadata_routing=routing):
        scores = cross_val_score(PCA(2), ROWS, CLASSES, cv=splitter, scoring=map_at_r_scorer)
        np.testing.assert_array_equal(scores, expected)
        search = GridSearchCV(PCA(), {"n_components": [1, 2]}, cv=splitter, scoring=map_at_r_scorer)
        search.fit(ROWS, CLASSES)
    assert search.n_splits_ == 3
    assert search.cv_results_["mean_test_score"][1] == pytest.approx(expected.mean())
    assert repr(clone(search).cv) == repr(splitter)


def test_classes_with_an_embedder():
    embedder = TripletEmbedder(max_iter=2, device="cpu", random_state=0)
    scores = cross_val_score(embedder, ROWS, CLASSES, cv=ClassDisjointKFold(3), error_score="raise")
    assert ((scores > 0) & (scores <= 1)).all()
    searches = [
        kind(embedder, {"margin": [0.2, 0.5]}, cv=ClassDisjointKFold(3), error_score="raise").fit(ROWS, CLASSES)
        for kind in (GridSearchCV, BatchedGridSearchCV)
    ]
    results = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4)
    assert results[0][1] == pytest.approx(scores.mean())


@pytest.mark.parametrize("routing", [False, True])
def test_tuples_in_cross_val_score_and_grid_search(routing):
    """Pairs of points, where the larger sum wins, given as points and as indices."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 3)).astype(np.float32)
    indices = np.arange(0, 200, 2)[:, np.newaxis] + rng.integers(0, 10, (100, 2))
    indices = indices[indices[:, 0] != indices[:, 1]] % 200
    y = np.where(np.diff(table.sum(axis=1)[indices], axis=1).ravel() > 0, -1, 1)
    splitter = TupleKFold(3)
    folds = list(splitter.split(indices, y))
    ranker = PairwiseRanker(max_iter=2, device="cpu", random_state=0)
    with sklearn.config_context(enable_metadata_routing=routing):
        by_points = cross_val_score(ranker, table[indices], y, cv=folds, error_score="raise")
        by_indices = cross_val_score(clone(ranker).set_params(preprocessor=table), indices, y, cv=splitter)
        np.testing.assert_allclose(by_indices, by_points)
        search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=TupleKFold(3), scoring="roc_auc", error_score="raise")
        search.fit(indices, y)
    assert search.n_splits_ == 3
    for train, test in splitter.split(table[indices], y):
        assert not set(indices[train].ravel()) & set(indices[test].ravel())


def test_cross_val_predict_where_no_tuple_is_lost():
    X, y = DATA[TupleKFold]
    assert cross_val_predict(SVC(), X, y, cv=TupleKFold(3)).shape == (80,)
    ring = np.column_stack([np.arange(80), np.arange(1, 81) % 80])
    with pytest.raises(ValueError, match="only works for partitions"):
        cross_val_predict(SVC(), ring, y, cv=TupleKFold(3))
