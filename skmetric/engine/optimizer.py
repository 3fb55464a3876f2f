"""AdamW over a stack, with a learning rate and a weight decay for each model."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from skmetric.engine.plan import Moments

__all__ = ["StackAdamW"]


class StackAdamW(torch.optim.Optimizer):
    r"""Decoupled weight decay, one row of ``values`` a model.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        w &\leftarrow (1 - \eta \lambda) w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t) + \epsilon^2}}

    Loshchilov, Hutter (2019). Decoupled Weight Decay Regularization. PyTorch's own takes one rate a parameter group,
    hence this one. The paper adds :math:`\epsilon` to the root; inside it the step is the same but for gradients as
    small as :math:`\epsilon`, and one reciprocal root takes the place of a root, which is slow at zero, and a division.
    The group's "lr" is a factor on every model's rate, for callbacks that change it.

    Parameters
    ----------
    values : Tensor of shape (n_models, n_parameters)
        Updated in place.
    learning_rates, weight_decays : sequence of float
        One a model.
    moments : sequence of Moments or None
        One a model; None starts from zero.
    """

    def __init__(
        self,
        values: Tensor,
        *,
        learning_rates: Sequence[float],
        weight_decays: Sequence[float],
        moments: Sequence[Moments | None],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__([values], {"lr": 1.0, "betas": betas, "eps": eps})
        self._rates = np.asarray(learning_rates, dtype=np.float64)
        self._decays = np.asarray(weight_decays, dtype=np.float64)
        self._first = _stack_rows([m.first if m else None for m in moments], values)
        self._second = _stack_rows([m.second if m else None for m in moments], values)
        self._scratch = torch.empty_like(values)
        self._n_updates = next((m.n_updates for m in moments if m is not None), 0)

    def plan_epoch(self, factors: np.ndarray) -> tuple[Tensor, Tensor]:
        """Put an epoch's numbers on the device at once: how much of a weight stays, and the size of a step.

        Both are (n_steps, n_models, 1), for steps with the given factors of the learning rates.
        """
        group = self.param_groups[0]
        rates = np.outer(factors * group["lr"], self._rates)
        updates = self._n_updates + 1 + np.arange(len(factors))
        stay = 1 - rates * self._decays
        beta_1, beta_2 = group["betas"]
        size = -rates * (np.sqrt(1 - beta_2**updates) / (1 - beta_1**updates))[:, None]
        values = group["params"][0]
        return (
            torch.from_numpy(stay[..., None]).to(values),
            torch.from_numpy(size[..., None]).to(values),
        )

    @torch.no_grad()
    def update(self, gradient: Tensor, stay: Tensor, size: Tensor) -> None:
        """Make one step, with one step's numbers from :meth:`plan_epoch`."""
        group = self.param_groups[0]
        values, (beta_1, beta_2) = group["params"][0], group["betas"]
        self._n_updates += 1
        # Where torch's schedulers look whether a step was made before theirs.
        self._opt_called = True
        self._first.lerp_(gradient, 1 - beta_1)
        self._second.mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)
        # The bias corrections are in the size of the step, but for this one of epsilon.
        floor = group["eps"] ** 2 * (1 - beta_2**self._n_updates)
        direction = torch.add(self._second, floor, out=self._scratch).rsqrt_().mul_(self._first)
        values.mul_(stay).addcmul_(direction, size)

    def moments_of(self, model: int) -> Moments:
        """One model's state, to go on from later."""
        first, second = (state[model].cpu().numpy().copy() for state in (self._first, self._second))
        return Moments(first, second, self._n_updates)


def _stack_rows(rows: Sequence[np.ndarray | None], like: Tensor) -> Tensor:
    stacked = torch.zeros_like(like)
    for target, row in zip(stacked, rows, strict=True):
        if row is not None:
            target.copy_(torch.from_numpy(row))
    return stacked
