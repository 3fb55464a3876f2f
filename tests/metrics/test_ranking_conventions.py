"""The conventions against the evaluation of the libraries that they are named after."""

import numpy as np
import pytest

from skmetric.metrics import ndcg_score

KS = pytest.mark.parametrize("k", [1, 3, 10, 100])
SEEDS = pytest.mark.parametrize("seed", range(4))


def ragged_lists(seed, *, empty=True):
    """Contiguous lists of 1 to 60 items, with tied scores. If ``empty``, the gains of some lists are all 0."""
    rng = np.random.default_rng(seed)
    sizes = np.append(rng.integers(1, 61, size=30), [1, 2, 5])
    groups = np.repeat(np.arange(len(sizes)), sizes)
    grades = rng.integers(0, 5, size=len(groups)) * (groups % 6 != 0) if empty else rng.integers(1, 5, size=len(groups))
    # Sixteenths are exact in float32, in which XGBoost compares them.
    return grades.astype(float), rng.integers(-20, 20, size=len(groups)) / 16, groups, sizes


def lightgbm_ndcg(k, y_true, y_score, sizes, weights=None):
    lightgbm = pytest.importorskip("lightgbm")
    features = np.arange(len(y_true), dtype=float)[:, np.newaxis]
    data = lightgbm.Dataset(features, label=y_true, group=sizes, init_score=y_score, weight=weights)
    settings = {"objective": "lambdarank", "metric": "ndcg", "eval_at": [k], "verbosity": -1}
    return lightgbm.Booster(settings, data).eval_train()[0][2]


def xgboost_ndcg(name, y_true, y_score, sizes, list_weights=None):
    xgboost = pytest.importorskip("xgboost")
    data = xgboost.DMatrix(np.zeros((len(y_true), 1)), label=y_true, base_margin=y_score)
    data.set_group(sizes)
    if list_weights is not None:
        data.set_weight(list_weights)
    booster = xgboost.Booster({"objective": "rank:ndcg", "eval_metric": name, "nthread": 1}, [data])
    return float(booster.eval(data).rsplit(":", 1)[1])


@KS
@SEEDS
def test_lightgbm(k, seed):
    y_true, y_score, groups, sizes = ragged_lists(seed)
    theirs = lightgbm_ndcg(k, y_true, y_score, sizes)
    assert ndcg_score(y_true, y_score, groups=groups, k=k, convention="lightgbm") == pytest.approx(theirs, rel=1e-12)


@KS
@SEEDS
def test_xgboost(k, seed):
    y_true, y_score, groups, sizes = ragged_lists(seed)
    theirs = xgboost_ndcg(f"ndcg@{k}", y_true, y_score, sizes)
    assert ndcg_score(y_true, y_score, groups=groups, k=k, convention="xgboost") == pytest.approx(theirs, rel=1e-12)
    theirs = xgboost_ndcg(f"ndcg@{k}-", y_true, y_score, sizes)
    assert ndcg_score(y_true, y_score, groups=groups, k=k, ties="order", empty=0) == pytest.approx(theirs, rel=1e-12)


@SEEDS
def test_weights_of_lightgbm_and_xgboost(seed):
    """Both keep weights in float32. LightGBM uses the mean weight per list, XGBoost takes one weight per list."""
    y_true, y_score, groups, sizes = ragged_lists(seed, empty=False)
    weights = np.random.default_rng(seed).uniform(0.5, 2, size=len(y_true))
    theirs = lightgbm_ndcg(10, y_true, y_score, sizes, weights)
    ours = ndcg_score(y_true, y_score, groups=groups, k=10, convention="lightgbm", sample_weight=weights)
    assert ours == pytest.approx(theirs, rel=1e-6)
    theirs = xgboost_ndcg("ndcg@10", y_true, y_score, sizes, weights[: len(sizes)])
    ours = ndcg_score(y_true, y_score, groups=groups, k=10, convention="xgboost", sample_weight=weights[groups])
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_weights_of_lists_without_gain_in_lightgbm_and_xgboost():
    """They add 1, regardless of the weight, and divide by the sum of the weights: (1 + w) / 2w for two lists."""
    y_true, y_score, sizes, groups = [1, 0, 0, 0], [1.0, 0.5, 0.2, 0.1], [2, 2], [0, 0, 1, 1]
    assert lightgbm_ndcg(2, y_true, y_score, sizes, [0.25] * 4) == pytest.approx(2.5)
    assert lightgbm_ndcg(2, y_true, y_score, sizes, [4.0] * 4) == pytest.approx(0.625)
    assert xgboost_ndcg("ndcg@2", y_true, y_score, sizes, [4.0] * 2) == pytest.approx(0.625)
    assert ndcg_score(y_true, y_score, groups=groups, convention="lightgbm", sample_weight=[4.0] * 4) == 1.0


@SEEDS
def test_xgboost_without_k(seed):
    y_true, y_score, groups, sizes = ragged_lists(seed)
    theirs = xgboost_ndcg("ndcg", y_true, y_score, sizes)
    assert ndcg_score(y_true, y_score, groups=groups, k=32, convention="xgboost") == pytest.approx(theirs, rel=1e-12)


def test_xgboost_compares_in_float32():
    y_true, y_score = [1, 0], [1.0, 1.0 + 1e-12]
    assert xgboost_ndcg("ndcg@2", y_true, y_score, [2]) == 1.0
    assert ndcg_score(y_true, y_score, convention="xgboost") < 1.0
    assert ndcg_score(y_true, np.float32(y_score), convention="xgboost") == 1.0


@pytest.mark.parametrize("k", [None, 1, 3, 10, 100])
@SEEDS
@pytest.mark.parametrize("weighted", [False, True])
def test_catboost(k, seed, weighted):
    eval_metric = pytest.importorskip("catboost.utils").eval_metric
    y_true, y_score, groups, sizes = ragged_lists(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2, size=len(sizes))[groups] if weighted else None
    top = "" if k is None else f"top={k};"
    lists = {"group_id": groups, "group_weight": weights}
    given = {"k": k, "groups": groups, "sample_weight": weights}
    tolerance = 1e-6 if weighted else 1e-12
    theirs = eval_metric(y_true, y_score, f"NDCG:{top}type=Base", **lists)[0]
    assert ndcg_score(y_true, y_score, convention="catboost", **given) == pytest.approx(theirs, rel=tolerance)
    theirs = eval_metric(y_true, y_score, f"NDCG:{top}type=Exp", **lists)[0]
    assert ndcg_score(y_true, y_score, ties="pessimistic", empty=1, **given) == pytest.approx(theirs, rel=tolerance)


# Printed by pytrec_eval-terrier 0.5.11: grades and scores by document id, and NDCG.
TREC = [
    ({"a": (2, 2.0), "b": (1, 3.0), "c": (0, 1.0)}, 0.8597186998521972),
    ({"a": (1, 1.0), "b": (0, 1.0)}, 0.6309297535714575),
    ({"a": (0, 1.0), "b": (1, 1.0)}, 1.0),
    ({"9": (1, 1.0), "10": (0, 1.0)}, 1.0),
    ({"a": (1, 1 + 1e-9), "b": (0, 1.0)}, 0.6309297535714575),
    ({"a": (1, 1 + 1e-6), "b": (0, 1.0)}, 1.0),
    ({"a": (0, 1.0), "b": (0, 2.0)}, 0.0),
]


@pytest.mark.parametrize(("documents", "theirs"), TREC)
def test_trec_eval_on_rows_sorted_by_falling_id(documents, theirs):
    grades, scores = np.array([documents[name] for name in sorted(documents, reverse=True)]).T
    value = ndcg_score(grades, np.float32(scores), gain="linear", ties="order", empty=0)
    assert value == pytest.approx(theirs, rel=1e-12)


# Printed by rax 0.4.0: grades, scores, and NDCG, in single precision.
RAX = [
    ([2, 1, 0], [2.0, 3.0, 1.0], 0.79670763),
    ([1, 0], [1.0, 1.0], 1.0),
    ([0, 1], [1.0, 1.0], 0.63092977),
    ([0, 1], [1 + 1e-9, 1.0], 0.63092977),
    ([0, 0], [1.0, 2.0], 0.0),
]


@pytest.mark.parametrize(("grades", "scores", "theirs"), RAX)
def test_rax(grades, scores, theirs):
    assert ndcg_score(grades, np.float32(scores), ties="order", empty=0) == pytest.approx(theirs, rel=1e-6)
