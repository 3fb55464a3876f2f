"""Errors by the number of training rows near a target."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_target
from skmetric._warnings import warn_caller
from skmetric.imbalance._checks import check_pair
from skmetric.imbalance.bins import bin_codes
from skmetric.imbalance.errors import geometric_mean

__all__ = ["shot_report"]


def shot_report(
    y_train: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    bins: int | ArrayLike = 100,
    many: float = 100,
    few: float = 20,
) -> Any:
    r"""Report errors for targets with many, medium and few training rows.

    If :math:`n(y)` is the number of training rows in the bin of :math:`y`, a row is

    .. math::
        \text{many if } n(y) > \text{many}, \quad \text{few if } n(y) < \text{few}, \quad \text{medium otherwise}.

    Parameters
    ----------
    y_train : array-like of shape (n_train,)
        Targets that the model was trained on.
    y_true : array-like of shape (n_samples,)
        True targets of the rows to report on, in the units of ``y_train``.
    y_pred : array-like of shape (n_samples,)
        Predictions for these rows.
    bins : int or array-like of shape (n_bins + 1,), default=100
        Number of bins of equal width over the range of ``y_train``, or the edges of the bins, in units of ``y_train``
        and in increasing order. A bin includes its lower edge, and the last bin also its upper edge. Values outside all
        bins have no training rows near them: :math:`n(y) = 0`. The default is about the number of bins (years of age,
        tenths of a meter) for which the paper chose the two limits.
    many : float, default=100
        The rows of a bin are "many" if it has more training rows than this.
    few : float, default=20
        The rows of a bin are "few" if it has fewer training rows than this. At most ``many``.

    Returns
    -------
    report : pandas.DataFrame
        The rows are "all", "many", "medium" and "few". The columns are "count" (number of rows of ``y_true``), "mae",
        "geometric_mean_error" and "bias" (the mean of ``y_pred - y_true``). The last three are in units of ``y_true``,
        and NaN if the count is 0.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If targets or predictions are not finite numbers, or differ in length; if ``few`` is negative or above
        ``many``; if ``bins`` is below 1, or its edges are not in increasing order.
    TypeError
        If ``bins`` is not an integer or an array.

    Warns
    -----
    UserWarning
        If some rows of ``y_train`` are outside of the given edges. They are in no bin, and are not counted.

    See Also
    --------
    LabelDensityWeighter : Gives rows with rare targets larger weights.
    geometric_mean_error : The formula, and how errors of 0 are counted.

    Notes
    -----
    The limits are numbers of rows. With 100 bins, a bin has ``n_train / 100`` training rows on average, so with fewer
    than about 10,000 training rows almost no rows are "many". In this case, use proportionally fewer bins or lower
    limits.

    References
    ----------
    Yang, Zha, Chen, Wang, Katabi (2021). Delving into Deep Imbalanced Regression. ICML.
    https://proceedings.mlr.press/v139/yang21m.html

    Examples
    --------
    >>> import numpy as np
    >>> from skmetric.imbalance import shot_report
    >>> y_train = np.repeat([0.0, 1.0, 2.0], [200, 50, 5])
    >>> shot_report(y_train, y_true=[0.0, 1.0, 2.0, 2.0], y_pred=[0.1, 1.2, 1.6, 1.6]).round(3)
            count    mae  geometric_mean_error   bias
    all         4  0.275                 0.238 -0.125
    many        1  0.100                 0.100  0.100
    medium      1  0.200                 0.200  0.200
    few         2  0.400                 0.400 -0.400
    """
    pandas = _pandas()
    trained = check_target(y_train, "y_train")
    truth, predicted = check_pair(y_true, y_pred)
    if not 0 <= few <= many:
        raise ValueError(f"few must be from 0 to many, got few={few} and many={many}. Pass few=20, many=100.")
    codes, n_bins = bin_codes(np.concatenate([trained, truth]), bins, seen=trained)
    is_inside = (codes >= 0) & (codes < n_bins)
    if not is_inside[: len(trained)].all():
        warn_caller(_rows_left_out(trained[~is_inside[: len(trained)]], trained))
    counts = _count_equal(codes[: len(trained)], codes[len(trained) :])
    rows = np.where(is_inside[len(trained) :], counts, 0)
    shots = {"all": rows >= 0, "many": rows > many, "medium": (rows >= few) & (rows <= many), "few": rows < few}
    figures = {name: _figures((predicted - truth)[chosen]) for name, chosen in shots.items()}
    return pandas.DataFrame.from_dict(figures, orient="index")


def _rows_left_out(left_out: NDArray[np.float64], trained: NDArray[np.float64]) -> str:
    return (
        f"bins must span y_train so that all its rows are counted, got edges that leave out {len(left_out)} of its "
        f"{len(trained)} rows, such as {left_out[0]:g}. Targets outside of all bins count as targets without training "
        f"rows. Pass edges from {trained.min():g} or less to {trained.max():g} or more, or a number of bins."
    )


def _count_equal(trained: NDArray[np.intp], codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return, for each code, how many of the trained codes are equal to it."""
    ordered = np.sort(trained)
    return np.searchsorted(ordered, codes, side="right") - np.searchsorted(ordered, codes, side="left")


def _figures(differences: NDArray[np.float64]) -> dict[str, float]:
    if not differences.size:
        return {"count": 0, "mae": np.nan, "geometric_mean_error": np.nan, "bias": np.nan}
    errors = np.abs(differences)
    return {
        "count": len(errors),
        "mae": float(errors.mean()),
        "geometric_mean_error": geometric_mean(errors, np.ones(len(errors))),
        "bias": float(differences.mean()),
    }


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "shot_report returns a pandas DataFrame, but pandas cannot be imported. Install it: pip install pandas."
        ) from error
