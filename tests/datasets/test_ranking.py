import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from skmetric.datasets import make_ranking


def within_groups(first, second, groups):
    """Mean Spearman correlation within groups."""
    return np.mean(
        [np.corrcoef(rankdata(first[groups == g]), rankdata(second[groups == g]))[0, 1] for g in np.unique(groups)]
    )


def test_shapes_and_types():
    X, y, groups, scores = make_ranking(30, n_features=7, n_informative=3, return_scores=True, random_state=0)
    sizes = np.bincount(groups)
    assert len(sizes) == 30
    assert sizes.min() >= 5
    assert sizes.max() <= 30
    assert X.shape == (sizes.sum(), 7)
    assert len(y) == len(groups) == len(scores) == len(X)
    assert X.dtype == scores.dtype == np.float64
    assert y.dtype == groups.dtype == np.int64
    assert len(make_ranking(30, random_state=0)) == 3


def test_types_of_integers_do_not_change_the_task():
    narrow = make_ranking(np.uint8(200), group_size=(np.int8(2), np.int8(127)), n_features=np.int8(20), random_state=0)
    for a, b in zip(narrow, make_ranking(200, group_size=(2, 127), random_state=0), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_random_state():
    first, second = (make_ranking(return_scores=True, random_state=0) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert make_ranking(random_state=1)[0].shape != first[0].shape
    np.testing.assert_array_equal(make_ranking(random_state=np.random.RandomState(0))[0], first[0])


@pytest.mark.parametrize("group_size", [(1, 1), (4, 4), (2, 3), 4, [2, 9]])
def test_group_sizes(group_size):
    groups = make_ranking(200, group_size=group_size, random_state=0)[2]
    low, high = (group_size, group_size) if isinstance(group_size, int) else group_size
    assert set(np.bincount(groups)) == set(range(low, high + 1))


@pytest.mark.parametrize("n_grades", [2, 3, 5, 12])
def test_each_grade_is_half_as_frequent_as_the_one_below(n_grades):
    _, y, _ = make_ranking(100, group_size=64, n_grades=n_grades, random_state=0)
    n = 6400
    expected = [n / 2 ** (grade + 1) for grade in range(n_grades - 1)]
    np.testing.assert_allclose(np.bincount(y), [*expected, expected[-1]], atol=1)


def test_shuffling():
    _, _, groups = make_ranking(random_state=0, shuffle=False)
    assert (np.diff(groups) >= 0).all()
    X, y, groups, scores = make_ranking(random_state=0, return_scores=True)
    assert (np.diff(groups) < 0).any()
    # The rows are the same, in another order, and so are the columns.
    plain = make_ranking(random_state=0, shuffle=False, return_scores=True)
    np.testing.assert_array_equal(np.sort(scores), np.sort(plain[3]))
    order, plain_order = scores.argsort(), plain[3].argsort()
    np.testing.assert_array_equal(y[order], plain[1][plain_order])
    np.testing.assert_array_equal(groups[order], plain[2][plain_order])
    np.testing.assert_array_equal(np.sort(X[order], axis=1), np.sort(plain[0][plain_order], axis=1))
    assert (X[order] != plain[0][plain_order]).any()


def test_the_teacher_sees_the_informative_columns_only():
    """Only the informative columns predict its scores, and not linearly."""
    X, _, _, scores = make_ranking(500, n_informative=4, shuffle=False, return_scores=True, random_state=0)
    half = len(X) // 2

    def r2(model, columns):
        return model.fit(X[:half, columns], scores[:half]).score(X[half:, columns], scores[half:])

    trees, informative = HistGradientBoostingRegressor(random_state=0), slice(0, 4)
    assert r2(trees, slice(4, None)) < 0.1
    assert r2(LinearRegression(), informative) + 0.1 < r2(trees, informative)
    assert r2(trees, informative) > 0.9


def test_scores_are_standardized_and_free_of_noise():
    quiet, noisy = (
        make_ranking(noise=noise, group_shift=shift, return_scores=True, random_state=0)[3]
        for noise, shift in ((0, 0), (3, 2))
    )
    np.testing.assert_array_equal(quiet, noisy)
    assert quiet.mean() == pytest.approx(0, abs=1e-12)
    assert quiet.std() == pytest.approx(1)


def test_without_noise_grades_follow_scores():
    _, y, groups, scores = make_ranking(noise=0, group_shift=0, return_scores=True, random_state=0)
    assert (np.diff(y[scores.argsort()]) >= 0).all()
    _, y, groups, scores = make_ranking(noise=0, group_shift=2, return_scores=True, random_state=0)
    assert (np.diff(y[scores.argsort()]) < 0).any()
    for group in range(100):
        rows = np.flatnonzero(groups == group)
        assert (np.diff(y[rows[scores[rows].argsort()]]) >= 0).all()


def test_noise_weakens_the_grades():
    agreement = []
    for noise in (0, 0.5, 5):
        _, y, _, scores = make_ranking(noise=noise, group_shift=0, return_scores=True, random_state=0)
        agreement.append(np.corrcoef(rankdata(scores), rankdata(y))[0, 1])
    assert agreement == sorted(agreement, reverse=True)
    assert agreement[0] > 0.9 > 0.3 > agreement[-1]


def test_group_shift_misleads_a_pooled_regressor():
    """It ranks new groups well without a shift, and in reverse with a large one."""
    found = []
    for shift in (0, 1, 2):
        X, y, groups, scores = make_ranking(200, group_shift=shift, return_scores=True, random_state=0)
        train = groups < 100
        model = HistGradientBoostingRegressor(random_state=0).fit(X[train], y[train])
        found.append(within_groups(scores[~train], model.predict(X[~train]), groups[~train]))
    assert found[0] > 0.6
    assert found[0] > found[1] + 0.2 > found[2] + 0.4
    assert found[2] < 0


@pytest.mark.parametrize(
    "kwargs", [{"n_groups": 1}, {"n_groups": 1, "group_size": 1}, {"n_features": 1, "n_informative": 1}]
)
def test_small_tasks(kwargs):
    X, y, _ = make_ranking(**kwargs, random_state=0)
    assert np.isfinite(X).all()
    assert (y >= 0).all()


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"n_groups": 0}, ValueError, "n_groups must be at least 1, got n_groups=0. Pass a larger"),
        ({"n_features": 2.0}, TypeError, "n_features must be an integer, got 2.0 of type float. Pass 1 or more"),
        ({"n_informative": True}, TypeError, "n_informative must be an integer, got True"),
        ({"n_informative": 21}, ValueError, "n_informative must be at most n_features=20, got n_informative=21. Pass"),
        ({"n_grades": 1}, ValueError, "n_grades must be at least 2, got n_grades=1"),
        ({"noise": -0.1}, ValueError, "noise must be finite and not negative, got noise=-0.1. Pass 0"),
        ({"group_shift": np.inf}, ValueError, "group_shift must be finite and not negative, got group_shift=inf"),
        ({"group_shift": None}, TypeError, "group_shift must be a number, got None of type NoneType. Pass 0"),
        ({"shuffle": "no"}, TypeError, "shuffle must be True or False, got 'no' of type str. Pass one of them."),
        ({"return_scores": 0}, TypeError, "return_scores must be True or False, got 0 of type int"),
        ({"group_size": 0}, ValueError, "group_size must be at least 1, got group_size=0"),
        ({"group_size": (1, 2.5)}, TypeError, "group_size must be an integer, got 2.5"),
        (
            {"group_size": (9, 3)},
            ValueError,
            r"group_size must give the smallest number first, got \(9, 3\). Pass \(3, 9\)",
        ),
        (
            {"group_size": (1, 2, 3)},
            ValueError,
            r"group_size must be one number of rows, or .* got \(1, 2, 3\). Pass \(5, 30\)",
        ),
    ],
)
def test_arguments_are_checked(kwargs, error, message):
    with pytest.raises(error, match=message):
        make_ranking(**kwargs)
