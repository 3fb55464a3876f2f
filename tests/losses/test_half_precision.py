"""All losses compute in float32, also if their arguments are in half precision."""

import inspect

import pytest
import torch

from skmetric import losses

N = 6
DRAW = torch.Generator().manual_seed(0)
ROWS = torch.randn(N, 3, generator=DRAW)
NUMBERS = torch.randn(N, generator=DRAW)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
ARGUMENTS = {
    **dict.fromkeys(("embeddings", "features", "anchors", "positives", "columns"), ROWS),
    **dict.fromkeys(("labels", "rows"), LABELS),
    **dict.fromkeys(("scores", "s1", "s2", "targets", "values", "real_logits", "noise_logits", "true_logits"), NUMBERS),
    "relevance": torch.tensor([2.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
    "y": torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, 1.0]),
    "d": NUMBERS.abs(),
    "d_ap": NUMBERS.abs(),
    "d_an": NUMBERS.abs().flip(0),
    "similar": LABELS > 0,
    "sampled_logits": ROWS,
    "log_true_rate": NUMBERS,
    "log_sampled_rate": NUMBERS[:3],
    "proxies": ROWS[:3],
    "margin": 0.5,
    "temperature": 0.5,
    "samples_per_class": 2,
    "interpolation_strength": 2.0,
    "log_noise_ratio": 0.3,
    "anchor_ids": torch.arange(N),
    "positive_ids": torch.arange(N),
    "n_most": 4,
    "gamma": 1.0,
}
# These take the table's rows of cross_distance as points.
POINTS = {
    "cross_distance": {"rows": ROWS},
    "neighbor_spearman": {"labels": NUMBERS},
    "ranksim_loss": {"labels": NUMBERS},
}


def arguments_of(name):
    given = {**ARGUMENTS, **POINTS.get(name, {})}
    parameters = inspect.signature(getattr(losses, name)).parameters.values()
    return {each.name: given[each.name] for each in parameters if each.default is inspect.Parameter.empty}


def in_type(arguments, dtype):
    return {
        name: value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in arguments.items()
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", losses.__all__)
def test_half_precision_is_computed_in_float32(name, dtype):
    function = getattr(losses, name)
    half = in_type(arguments_of(name), dtype)
    actual, expected = function(**half), function(**in_type(half, torch.float32))
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)
    assert all(each.dtype not in (torch.float16, torch.bfloat16) for each in tensors_of(actual))


def tensors_of(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [each for part in (result.values() if isinstance(result, dict) else result) for each in tensors_of(part)]


def test_a_large_half_precision_distance_does_not_overflow():
    far = torch.tensor([[0.0], [400.0]], dtype=torch.float16)  # 400 squared is beyond float16
    assert losses.pairwise_distance(far)[0, 1] == 400.0


def test_gradients_come_back_in_half_precision():
    leaf = ROWS.to(torch.bfloat16).requires_grad_()
    losses.batch_triplet_loss(leaf, LABELS, margin=1.0).backward()
    assert leaf.grad.dtype == torch.bfloat16
    assert leaf.grad.abs().sum() > 0
