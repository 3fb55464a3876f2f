import pytest
import torch

from benchmarks.ranksim_loss import TARGETS, gradient, make_batch, plain_loop, published_loss, row_loop, run


@pytest.mark.parametrize("loop", [plain_loop, row_loop])
@pytest.mark.parametrize("m", [2, 3, 17])
def test_both_sides_compute_the_same(m, loop):
    features, labels = make_batch(m)
    for ours, theirs in zip(*(gradient(loss, features, labels) for loss in (published_loss, loop)), strict=True):
        assert (ours - theirs).abs().max() < 1e-10


def test_the_loop_by_hand():
    """For rows 0 and 1, the other two rows are in the wrong order. For row 2, they are in the right order."""
    angles, labels = torch.tensor([0.0, 0.6, 0.5], dtype=torch.float64), torch.tensor([0.0, 1.0, 3.0])
    features = torch.stack([angles.cos(), angles.sin()], dim=-1).requires_grad_()
    value, slopes = gradient(row_loop, features, labels.double())
    assert value.item() == pytest.approx(2 * (1 / 9 + 1 / 9) / 3)
    assert slopes.abs().max() > 0


def test_figures(monkeypatch):
    monkeypatch.setattr("benchmarks.ranksim_loss.TARGETS", {4: None, 6: TARGETS[256]})
    before = torch.get_num_threads()
    *published, default = run(quick=True)
    assert torch.get_num_threads() == before
    names = [f"published form, M={m}: time of {loop} loop / ours" for m in (4, 6) for loop in ("plain", "fastest")]
    assert [figure.name for figure in published] == names
    assert [figure.is_met is None for figure in published] == [True, True, False, False]
    assert default.name == "default form, M=6: time of loop / default"
    assert default.is_met is None
    assert default.note.endswith("the loop computes the published form, so no target")


def test_sides_that_differ_are_not_timed(monkeypatch):
    monkeypatch.setattr("benchmarks.ranksim_loss.published_loss", lambda *batch: 2 * row_loop(*batch))
    with pytest.raises(AssertionError, match="do not compute the same"):
        next(run(quick=True))
