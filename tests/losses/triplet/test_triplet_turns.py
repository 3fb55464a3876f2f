"""The lists of a large stack are compared in parts if all comparisons at once are too many."""

import pytest
import torch

from skmetric.losses.triplet import _mining
from skmetric.losses.triplet.loss import batch_triplet_loss, block_triplet_loss
from tests.losses.cases import any_labels, blocks, value_and_gradient


@pytest.mark.parametrize("at_once", [1, 3 * 12 * 3 * 12, 5 * 12 * 3 * 12])
@pytest.mark.parametrize("leading", [(), (6,), (2, 3), (0,)], ids=str)
@pytest.mark.parametrize("mining", ["semihard", "all"])
def test_turns_change_nothing(monkeypatch, mining, leading, at_once):
    lists = blocks(3, 4, leading=leading, duplicates=True)
    margin = torch.linspace(0.1, 1, leading[-1], dtype=torch.float64) if leading else 0.5
    options = {"samples_per_class": 4, "margin": margin, "mining": mining}
    whole = value_and_gradient(block_triplet_loss, lists.embeddings, lists.origin, **options)
    monkeypatch.setattr(_mining, "COMPARED_AT_ONCE", at_once)
    in_turns = value_and_gradient(block_triplet_loss, lists.embeddings, lists.origin, **options)
    for one, other in zip(whole, in_turns, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("mining", ["semihard", "all"])
def test_turns_change_nothing_for_any_labels(monkeypatch, mining):
    lists = any_labels(12, 3, leading=(2, 3), masked=True)
    options = {"margin": 0.5, "mining": mining, "mask": lists.mask}
    whole = value_and_gradient(batch_triplet_loss, lists.embeddings, lists.labels, **options)
    monkeypatch.setattr(_mining, "COMPARED_AT_ONCE", 1)
    in_turns = value_and_gradient(batch_triplet_loss, lists.embeddings, lists.labels, **options)
    for one, other in zip(whole, in_turns, strict=True):
        assert torch.equal(one, other)
