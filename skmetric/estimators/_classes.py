"""What embedders ask of class labels, and how they are validated while training."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from skmetric.engine import Validation
from skmetric.metrics import map_at_r_score
from skmetric.sampling import stratified_holdout

__all__ = ["check_classes", "hold_out", "map_at_r_validation"]


def check_classes(labels: NDArray) -> None:
    """Raise unless the labels are classes, at least two, one of them with two rows."""
    try:
        kind = type_of_target(labels, input_name="y")
    except TypeError:
        kind = "mixed"
    if kind not in {"binary", "multiclass"}:
        raise ValueError(
            f"Unknown label type: {kind}. y must hold classes, all numbers, all strings or all booleans; got values "
            f"such as {labels[0]!r}. Fill in missing labels; cut measurements into classes, say by KBinsDiscretizer."
        )
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(
            f"y must hold at least two classes, or no row has a negative; got one class, {classes.tolist()}. "
            "Fit on rows of several classes."
        )
    if counts.max() < 2:
        raise ValueError(
            f"y must hold a class with at least two rows, or no row has a positive; got {len(classes)} classes of "
            "one row each. Is y an identifier? It must say which rows are alike."
        )


def hold_out(
    X: NDArray, codes: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.integer], Validation]:
    """Places of the rows to train on, and the others to validate by."""
    train, held_out = stratified_holdout(codes, fraction, rng)
    if np.bincount(codes[held_out], minlength=1).max() < 2:
        raise ValueError(
            f"validation_fraction must hold out two rows of some class, to see how near they are; {fraction} of these "
            f"{len(codes)} rows does not (two rows of a class always stay for training). Raise it, pass X_val and "
            "y_val, or set early_stopping=False."
        )
    return train, map_at_r_validation(X[held_out], codes[held_out])


def map_at_r_validation(X: NDArray, labels: NDArray) -> Validation:
    """Validate by MAP@R of the given rows among themselves."""
    codes = np.unique(labels, return_inverse=True)[1]
    if np.bincount(codes).max() < 2:
        raise ValueError("y_val must hold a class with two rows, to see how near they are; it has none.")

    def score(embeddings: NDArray) -> float:
        # A model whose weights overflow between two finite losses is worse than any other, not an error.
        return map_at_r_score(embeddings, codes) if np.isfinite(embeddings).all() else -np.inf

    return Validation(X, score)
