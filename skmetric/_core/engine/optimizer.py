"""AdamW for a stack of models, with one learning rate and one weight decay per model."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from skmetric._core.engine.plan import Moments

__all__ = ["StackAdamW"]


class _Run(NamedTuple):
    """Neighboring models of the stack with the same rates: one call of torch's kernel."""

    rows: slice
    learning_rate: float
    weight_decay: float
    values: Tensor
    first: Tensor
    second: Tensor
    n_updates: Tensor  # on the device, where torch counts; reading it would wait for the device


class StackAdamW:
    r"""AdamW: Adam with decoupled weight decay. Each row of ``values`` is one model.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        w &\leftarrow (1 - \eta \lambda) w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Loshchilov, Hutter (2019). Decoupled Weight Decay Regularization. torch's fused kernel does the
    arithmetic. It takes one rate per call, so models with the same rates should be neighbors. torch's optimizer class
    would need one tensor per model, each with its own gradient.

    Parameters
    ----------
    values : Tensor of shape (n_models, n_parameters)
        Parameters of the models, updated in place.
    learning_rates, weight_decays : sequence of float
        One value per model.
    moments : sequence of Moments or None
        One state per model; None starts from zero.

    Attributes
    ----------
    param_groups : list of one dict
        As in torch's optimizers. "lr" is a factor on the learning rate of every model, for callbacks that change it.
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
        self.param_groups: list[dict[str, Any]] = [{"params": [values], "lr": 1.0, "betas": betas, "eps": eps}]
        self._first = _stack_rows([m.first if m else None for m in moments], values)
        self._second = _stack_rows([m.second if m else None for m in moments], values)
        self._n_updates = next((m.n_updates for m in moments if m is not None), 0)
        self._runs = []
        start = 0
        for (rate, decay), models in groupby(zip(learning_rates, weight_decays, strict=True)):
            rows = slice(start, start := start + len(list(models)))
            first, second = self._first[rows], self._second[rows]
            n_updates = torch.tensor(float(self._n_updates), device=values.device)
            self._runs.append(_Run(rows, rate, decay, values[rows], first, second, n_updates))

    @torch.no_grad()
    def update(self, gradient: Tensor, factor: float) -> None:
        """Make one step, with the learning rate of each model times ``factor``."""
        group = self.param_groups[0]
        beta_1, beta_2 = group["betas"]
        self._n_updates += 1
        for run in self._runs:
            adamw(
                [run.values],
                [gradient[run.rows]],
                [run.first],
                [run.second],
                max_exp_avg_sqs=[],
                state_steps=[run.n_updates],  # torch increments it
                lr=run.learning_rate * factor * group["lr"],
                weight_decay=run.weight_decay,
                beta1=beta_1,
                beta2=beta_2,
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
                fused=True,
            )

    def moments_of(self, model: int) -> Moments:
        """Return the state of one model, to continue training later."""
        first, second = (state[model].cpu().numpy().copy() for state in (self._first, self._second))
        return Moments(first, second, self._n_updates)


def _stack_rows(rows: Sequence[np.ndarray | None], like: Tensor) -> Tensor:
    stacked = torch.zeros_like(like)
    for target, row in zip(stacked, rows, strict=True):
        if row is not None:
            target.copy_(torch.from_numpy(row))
    return stacked
