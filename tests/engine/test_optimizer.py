import numpy as np
import pytest
import torch

from skmetric.engine.optimizer import StackAdamW


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_is_adamw(decay):
    rates, rng = [0.1, 0.01], torch.Generator().manual_seed(0)
    start = torch.randn(2, 64, generator=rng, dtype=torch.float64)
    gradients = torch.randn(20, 2, 64, generator=rng, dtype=torch.float64)
    factors = np.linspace(1, 0.1, 20)

    values = start.clone()
    # Where epsilon stands is the one difference; here it has no part.
    ours = StackAdamW(values, learning_rates=rates, weight_decays=[decay] * 2, moments=[None] * 2, eps=1e-30)
    stay, size = ours.plan_epoch(factors)
    for gradient, s, z in zip(gradients, stay, size, strict=True):
        ours.update(gradient, s, z)

    for model, rate in enumerate(rates):
        weights = torch.nn.Parameter(start[model].clone())
        theirs = torch.optim.AdamW([weights], lr=rate, weight_decay=decay, eps=1e-30)
        for gradient, factor in zip(gradients[:, model], factors, strict=True):
            theirs.param_groups[0]["lr"] = rate * factor
            weights.grad = gradient
            theirs.step()
        torch.testing.assert_close(values[model], weights.detach(), rtol=1e-10, atol=1e-12)


def test_moments_go_on():
    rng = torch.Generator().manual_seed(0)
    start, gradients = torch.randn(1, 64, generator=rng), torch.randn(6, 1, 64, generator=rng)

    def run(values, gradients, moments):
        optimizer = StackAdamW(values, learning_rates=[0.1], weight_decays=[0.01], moments=[moments])
        for gradient, s, z in zip(gradients, *optimizer.plan_epoch(np.ones(len(gradients))), strict=True):
            optimizer.update(gradient, s, z)
        return optimizer.moments_of(0)

    whole, parts = start.clone(), start.clone()
    run(whole, gradients, None)
    run(parts, gradients[4:], run(parts, gradients[:4], None))
    torch.testing.assert_close(parts, whole, rtol=0, atol=0)
