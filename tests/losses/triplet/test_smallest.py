import pytest
import torch

from skmetric.losses.triplet import _mining
from skmetric.losses.triplet._mining import BITS, smallest


@pytest.mark.parametrize("few", [0, 1 << 30], ids=["by pooling", "by min"])
@pytest.mark.parametrize("dtype", sorted(set(BITS.values()), key=str), ids=str)
@pytest.mark.parametrize("shape", [(7, 3, 5), (2, 7, 3, 5), (2, 3, 60, 5, 60), (1, 1, 1), (4, 1, 2, 1)], ids=str)
def test_it_is_the_first_of_the_smallest(monkeypatch, shape, dtype, few):
    # One model alone uses `min` and a stack uses pooling: both must pick the same key among equal keys.
    monkeypatch.setattr(_mining, "FEW", few)
    # Few different numbers, so that many are equal, and both ends of the range, whose negatives overflow.
    ends = torch.iinfo(dtype)
    keys = torch.randint(-3, 4, shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    keys = keys.where(keys.abs() < 3, torch.tensor(ends.max, dtype=dtype)).where(keys > -3, ends.min)
    number = torch.arange(shape[-3]).view(-1, 1, 1)
    expected = keys.amin(-3)
    first = torch.where(keys == expected.unsqueeze(-3), number, shape[-3]).amin(-3)

    value, index = smallest(keys.clone())
    assert torch.equal(value, expected)
    assert torch.equal(index, first)
