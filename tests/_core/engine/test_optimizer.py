import numpy as np
import pytest
import torch

from skmetric._core.engine.optimizer import StackAdamW


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_is_adamw(decay):
    rates, rng = [0.1, 0.1, 0.01], torch.Generator().manual_seed(0)
    start = torch.randn(3, 64, generator=rng, dtype=torch.float64)
    gradients = torch.randn(20, 3, 64, generator=rng, dtype=torch.float64)
    factors = np.linspace(1, 0.1, 20)

    values = start.clone()
    ours = StackAdamW(values, learning_rates=rates, weight_decays=[decay] * 3, moments=[None] * 3)
    for gradient, factor in zip(gradients, factors, strict=True):
        ours.update(gradient, factor)

    for model, rate in enumerate(rates):
        weights = torch.nn.Parameter(start[model].clone())
        theirs = torch.optim.AdamW([weights], lr=rate, weight_decay=decay)
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
        for gradient in gradients:
            optimizer.update(gradient, 1.0)
        return optimizer.moments_of(0)

    whole, parts = start.clone(), start.clone()
    run(whole, gradients, None)
    run(parts, gradients[4:], run(parts, gradients[:4], None))
    torch.testing.assert_close(parts, whole, rtol=0, atol=0)


@pytest.mark.parametrize("n_models", [2, 3, 8])
def test_a_model_s_step_does_not_depend_on_its_neighbors(n_models):
    rng = torch.Generator().manual_seed(0)
    start, gradients = torch.randn(n_models, 192, generator=rng), torch.randn(5, n_models, 192, generator=rng)
    rates = [0.1, 0.1, 0.01, 0.02, 0.02, 0.02, 0.1, 0.1][:n_models]

    def run(models):
        values = start[models].clone()
        optimizer = StackAdamW(
            values,
            learning_rates=[rates[model] for model in models],
            weight_decays=[0.01] * len(models),
            moments=[None] * len(models),
        )
        for gradient in gradients:
            optimizer.update(gradient[models].contiguous(), 0.5)
        return values

    together = run(list(range(n_models)))
    for model in range(n_models):
        torch.testing.assert_close(run([model])[0], together[model], rtol=0, atol=0)
