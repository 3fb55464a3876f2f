"""Errors by how many training rows there were for a target."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetric._checks import check_target
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
    r"""Errors where training rows were many, medium and few.

    With :math:`n(y)` the training rows in the bin of :math:`y`, a row is

    .. math::
        \text{many if } n(y) > \text{many}, \quad \text{few if } n(y) < \text{few}, \quad \text{medium otherwise}.

    Parameters
    ----------
    y_train : array-like of shape (m,)
        The targets that the model was trained on.
    y_true : array-like of shape (n,)
        The truth of the rows to report on, in the units of ``y_train``.
    y_pred : array-like of shape (n,)
        Predictions for these.
    bins : int or array-like of shape (n_bins + 1,), default=100
        How many equally wide bins over the range of ``y_train``, or the edges of the bins, in units of ``y_train`` and
        in rising order. A bin holds its lower edge; values outside all bins are in the nearest one. The default is
        about the number of bins (years of age, tenths of a metre) that the two limits were set for in the paper.
    many : float, default=100
        Training rows in a bin, above which its rows are "many".
    few : float, default=20
        Training rows in a bin, below which its rows are "few"; at most ``many``.

    Returns
    -------
    report : pandas.DataFrame
        Rows "all", "many", "medium" and "few"; columns "count" (rows of ``y_true``), "mae",
        "geometric_mean_error" and "bias" (the mean of ``y_pred - y_true``), all but the first in units of ``y_true``,
        and NaN where the count is 0.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If the rows are not finite numbers, or do not fit together; if ``few`` is negative or above ``many``; if
        ``bins`` is below 1, or its edges do not rise.
    TypeError
        If ``bins`` is neither an integer nor an array.

    See Also
    --------
    LabelDensityWeighter : Weights that raise the say of the few.
    geometric_mean_error : The formula, and how errors of 0 are counted.

    Notes
    -----
    The limits count rows: m training rows are m / 100 a bin on average, so that below some ten thousand rows hardly
    any are "many". Take fewer bins, or lower limits, in proportion.

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
    codes = bin_codes(np.concatenate([trained, truth]), bins, seen=trained)
    rows = _rows_alike(codes[: len(trained)], codes[len(trained) :])
    shots = {"all": rows >= 0, "many": rows > many, "medium": (rows >= few) & (rows <= many), "few": rows < few}
    figures = {name: _figures((predicted - truth)[chosen]) for name, chosen in shots.items()}
    return pandas.DataFrame.from_dict(figures, orient="index")


def _rows_alike(trained: NDArray[np.intp], asked: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many of the trained codes are the same, for each code asked."""
    ordered = np.sort(trained)
    return np.searchsorted(ordered, asked, side="right") - np.searchsorted(ordered, asked, side="left")


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
            "shot_report returns a pandas DataFrame, and pandas cannot be imported. Install it: pip install pandas."
        ) from error
