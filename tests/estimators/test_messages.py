"""Common mistakes: the message names the argument and the solution."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.callback import ProgressBar

from skmetric.estimators import all_estimators
from skmetric.estimators.embedding.contrastive import ContrastiveEmbedder
from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.estimators.ranking._ranker import Ranker
from skmetric.estimators.ranking.listwise import ListwiseRanker
from skmetric.estimators.ranking.pairwise import PairwiseRanker
from skmetric.estimators.regression.ranksim import RankSimRegressor

SMALL = {"max_iter": 1, "random_state": 0}
ESTIMATORS = [estimator(**SMALL) for _, estimator in all_estimators()]
RANKERS = [estimator for estimator in ESTIMATORS if isinstance(estimator, Ranker)]
TRIPLETS, PAIRS, REGRESSOR = TripletEmbedder(**SMALL), ContrastiveEmbedder(**SMALL), RankSimRegressor(**SMALL)
X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.arange(30) % 3
each_ranker = pytest.mark.parametrize("ranker", RANKERS, ids=lambda r: type(r).__name__)


@pytest.mark.parametrize(
    ("estimator", "method", "args", "kwargs", "message"),
    [
        (
            PairwiseRanker(**SMALL),
            "fit",
            (X, Y, Y),
            {},
            r"PairwiseRanker.fit\(\): too many positional arguments; it .*groups=",
        ),
        (ListwiseRanker(**SMALL), "fit", (X,), {}, r"ListwiseRanker.fit\(\): missing a required argument: 'y'"),
        (TRIPLETS, "fit", (X, Y), {"sample_weight": Y}, r"TripletEmbedder.fit\(\): .*'sample_weight'.*\(X, y=None"),
        (PAIRS, "partial_fit", (X, Y, Y, Y), {}, r"ContrastiveEmbedder.partial_fit\(\): too many"),
        (REGRESSOR, "fit", (X, Y), {"groups": Y}, r"RankSimRegressor.fit\(\): got an unexpected .*'groups'"),
    ],
)
def test_arguments_that_a_method_does_not_take(estimator, method, args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        getattr(clone(estimator), method)(*args, **kwargs)


@each_ranker
@pytest.mark.parametrize("dtype", [str, object])
def test_grades_in_words(ranker, dtype):
    with pytest.raises(ValueError, match=r"y must hold numbers.*'1'.*astype\(float\).*OrdinalEncoder"):
        clone(ranker).fit(X, np.roll(Y, -1).astype(str).astype(dtype), groups=np.arange(30) // 6)


def test_a_label_of_each_kind_is_shown():
    labels = np.array(["a", "b", 3] * 10, dtype=object)
    with pytest.raises(TypeError, match=r"got '[ab]' \(text\), 3 \(numbers\)"):
        clone(TRIPLETS).fit(X, labels)


@pytest.mark.parametrize("callback", ["print", ProgressBar()], ids=["a name", "of scikit-learn"])
def test_what_is_no_callback_of_skorch(callback):
    with pytest.raises(ValueError, match=r"callbacks must be callbacks of skorch.*set_callbacks"):
        clone(TRIPLETS).set_params(callbacks=[callback]).fit(X, Y)


def test_a_preprocessor_that_is_a_name():
    with pytest.raises(ValueError, match=r"preprocessor must be the source of the points: a table.*'table'"):
        clone(PAIRS).set_params(preprocessor="table").fit([[0, 1], [1, 2]], [1, -1])


@pytest.mark.parametrize("embedder", [PAIRS, TRIPLETS], ids=lambda e: type(e).__name__)
def test_tuples_of_several_lengths(embedder):
    with pytest.raises(ValueError, match=r"X must hold rows or tuples of equal length"):
        clone(embedder).set_params(preprocessor=X).fit([[0, 1], [1, 2, 3]], [1, -1])


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_one_hidden_layer_may_be_a_number(estimator):
    """As in MLPClassifier of scikit-learn."""
    data = {"groups": np.zeros(30)} if isinstance(estimator, Ranker) else {}
    one, other = (
        clone(estimator).set_params(hidden_layer_sizes=sizes).fit(X, Y, **data).transform(X) for sizes in (8, (8,))
    )
    assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes"):
        clone(estimator).set_params(hidden_layer_sizes=0).fit(X, Y)
