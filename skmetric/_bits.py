"""Widths that keep a model's bits the same wherever it lies in memory."""

__all__ = ["ALIGNMENT", "REGISTER"]

# Columns that every matrix product is padded to a multiple of: products of odd widths round by where a model lies in
# memory, and by how threads divide them.
REGISTER = 8

# Numbers that the parameters of a model are padded to a multiple of, whole vector registers: a number is then never
# computed by the scalar tail of a loop in one stack and by its vector body in another, which may round differently.
ALIGNMENT = 64
