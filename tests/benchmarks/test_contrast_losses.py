import pytest
import torch

from benchmarks.contrast_losses import LOSSES, SIZES, TOLERANCES, relative_differences, run
from benchmarks.harness import in_fresh_process
from benchmarks.triplet_loss import gradient, make_batch


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_both_sides_compute_the_same(loss, dtype):
    embeddings, labels = make_batch(40)
    # Rows of different lengths, of which one has a class of its own.
    labels[0] = 8
    rows = (embeddings.detach() * torch.linspace(0.5, 1.5, 40).unsqueeze(-1)).to(dtype).requires_grad_()
    ours, peer = (gradient(LOSSES[loss][side](labels), rows) for side in ("ours", "peer"))
    assert max(relative_differences(ours, peer)) <= TOLERANCES[dtype]
    assert peer[0] > 0
    assert (peer[1] != 0).any()


def test_differences_are_relative_to_the_second():
    one, other = torch.tensor(3.0), torch.tensor(2.0)
    slopes = torch.tensor([[3.0, 4.0]])
    assert relative_differences((one, slopes), (other, slopes * 2)) == pytest.approx([0.5, 0.5])


def test_figures(monkeypatch):
    monkeypatch.setattr("benchmarks.contrast_losses.QUICK_N_INFO_NCE", 24)
    monkeypatch.setattr("benchmarks.contrast_losses.N_CHECK", 24)
    monkeypatch.setattr("benchmarks.contrast_losses.in_fresh_process", lambda *args: 0.25 + 0.25 * ("peer" in args))
    once, *races, ours, peer = run(quick=True)
    assert once.name == "info_nce, n=24: time of peer / ours"
    assert once.is_met is not None
    assert len(once.details["rounds_s"]["peer"]) == 1
    assert len(once.details["rounds_s"]["ours"]) == 6
    assert [figure.name for figure in races] == [
        f"{loss}, n={SIZES[0]}: time of peer / ours" for loss in ("sup_con", "contrastive", "nca")
    ]
    assert all(figure.is_met is None for figure in (*races, ours, peer))
    assert (ours.value, peer.value) == (0.25, 0.5)


def test_memory_is_that_of_the_loss_and_the_side():
    ours, peer = (
        float(in_fresh_process("benchmarks.peak_memory", "info_nce", side, "128")) for side in ("ours", "peer")
    )
    assert 0 <= ours < peer
    # The peer has several matrices of all positive pairs, 15 per row, by all negative pairs.
    assert peer > 128 * 15 * 128 * 112 * 4 / 1e9


def test_sides_that_differ_are_not_timed(monkeypatch):
    ours = LOSSES["nca"]["ours"]
    sides = {"ours": ours, "peer": lambda labels: lambda embeddings: 2 * ours(labels)(embeddings)}
    monkeypatch.setattr("benchmarks.contrast_losses.LOSSES", {"nca": sides})
    with pytest.raises(AssertionError, match=r"nca: the two sides differ by 5\.0e-01: they do not compute the same"):
        next(run(quick=True))
