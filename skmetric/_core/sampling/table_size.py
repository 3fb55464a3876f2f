"""Batches that are no larger than the table."""

__all__ = ["cut_to_table"]

# Sizes are rounded up to a multiple of this number, so that folds that differ by a few rows can train as one stack.
STEP = 64


def cut_to_table(size: int, n_items: int) -> int:
    """Cut a number of items to those that there are, rounded up to a multiple of 64.

    Examples
    --------
    >>> from skmetric._core.sampling import cut_to_table
    >>> cut_to_table(10_000, 150), cut_to_table(100, 150)
    (192, 100)
    """
    return min(size, -(-n_items // STEP) * STEP)
