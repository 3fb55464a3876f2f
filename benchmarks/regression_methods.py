"""The regressors of the comparison, and a common interface to build them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skmetric.estimators.regression.ranksim import RankSimRegressor

__all__ = ["BASE", "CHOICE", "METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """One method of the comparison.

    Attributes
    ----------
    name : str
        Name of the method in the table.
    make : callable
        ``(n_rows, seed, rounds) -> regressor``, where ``n_rows`` is the number of training rows, and ``rounds`` the
        number of training rounds, None for the default.
    has_representation : bool
        Whether the regressor has a ``transform`` that returns a representation.
    """

    name: str
    make: Callable[[int, int, int | None], Any]
    has_representation: bool = False


def _make_ranksim(n_rows: int, seed: int, rounds: int | None, **parameters: Any) -> Any:
    if rounds is not None:
        parameters["max_iter"] = rounds
    return RankSimRegressor(device="cpu", random_state=seed, **parameters)


def _make_boosting(n_rows: int, seed: int, rounds: int | None) -> Any:
    return HistGradientBoostingRegressor(random_state=seed, **({} if rounds is None else {"max_iter": rounds}))


def _make_ridge(n_rows: int, seed: int, rounds: int | None) -> Any:
    columns = QuantileTransformer(output_distribution="normal", n_quantiles=min(1000, n_rows), random_state=seed)
    return make_pipeline(columns, RidgeCV(alphas=np.logspace(-3, 3, 13)))


# The plain network, and the method that is compared with it first.
BASE, CHOICE = "plain", "default"

METHODS = (
    Method(BASE, partial(_make_ranksim, gamma=0), has_representation=True),
    Method(CHOICE, partial(_make_ranksim, gamma="auto"), has_representation=True),
    Method("LDS", partial(_make_ranksim, gamma=0, weighting="lds"), has_representation=True),
    Method("default + LDS", partial(_make_ranksim, gamma="auto", weighting="lds"), has_representation=True),
    Method("boosting", _make_boosting),
    Method("ridge", _make_ridge),
)
