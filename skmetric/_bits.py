"""Padding that makes the results of a model bitwise equal, regardless of its position in memory."""

__all__ = ["ALIGNMENT", "REGISTER"]

# Every matrix product is padded to a multiple of this many columns. With other widths, rounding depends on the position
# of a model in memory, and on how threads divide the product.
REGISTER = 8

# The parameters of a model are padded to a multiple of this many numbers, which are whole vector registers. Otherwise,
# a number could be computed by the scalar tail of a loop in one stack and by its vector body in another, and the two
# may round differently.
ALIGNMENT = 64
