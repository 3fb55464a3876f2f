"""Gradient of the loss of a step: at once, or piece by piece if the activations would fill the memory."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric._core.engine.randomness import global_generators, restore, states_of
from skmetric._core.nn import FlatParameters, Outputs, StackNetwork

__all__ = ["Differentiated", "InPieces", "LossFunction", "Whole", "open_gradients"]

# From the representation of the embedded rows to the network's outputs for the items, and the loss per model,
# (n_models,).
LossFunction = Callable[[Tensor], tuple[Outputs, Tensor]]


class Differentiated(NamedTuple):
    """Outputs, loss and gradient of one step."""

    outputs: Outputs  # outputs for the items, detached
    loss: Tensor  # (n_models,), detached
    gradient: Tensor  # in the layout of the flat parameters; overwritten by the next step


def open_gradients(
    network: StackNetwork, flat: FlatParameters, n_embedded: int, chunk_length: int | None
) -> "Whole | InPieces":
    """Choose pieces of ``chunk_length`` rows if there are several pieces and the representation is learned."""
    if chunk_length is None or chunk_length >= n_embedded or not network.learns_representation:
        return Whole(network, flat)
    return InPieces(network, flat, chunk_length)


class Whole:
    """Computes the gradient of all rows at once.

    Parameters
    ----------
    network : StackNetwork
        Network that embeds the rows.
    flat : FlatParameters
        Parameters of the network.
    """

    def __init__(self, network: StackNetwork, flat: FlatParameters) -> None:
        self._network = network
        self._flat = flat

    def __call__(self, x: Tensor, keep: Tensor | None, loss_of: LossFunction) -> Differentiated:
        """Embed rows (n_models, n, n_features), compute their loss, and differentiate it."""
        outputs, loss = loss_of(self._network.represent(x, keep))
        return Differentiated(outputs.detach(), loss.detach(), self._flat.gradient(loss))


class InPieces:
    """Gradient caching: memory holds the activations of one piece of the rows, never of all rows.

    First, all rows are embedded piece by piece without a gradient. Then the loss of all rows is differentiated with
    respect to the representation, and to the parameters that it depends on directly (the head and the proxies).
    Finally, each piece is embedded again with the same random numbers, and its part of the gradient is propagated back.
    The rows, the dropout factors and the representation are in memory as a whole.

    Gao, Zhang, Han, Callan (2021). Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup. RepL4NLP.
    The paper splits at the network's output. Here, the split is before the head, which needs no extra memory.
    Objectives can then differentiate scores with respect to the representation, as without pieces.

    Parameters
    ----------
    network : StackNetwork
        Network that embeds the rows.
    flat : FlatParameters
        Parameters of the network.
    length : int
        Number of rows per piece.
    """

    def __init__(self, network: StackNetwork, flat: FlatParameters, length: int) -> None:
        self._network = network
        self._flat = flat
        self._length = length
        self._generators = global_generators(flat.values.device) if network.draws_globally else []

    def __call__(self, x: Tensor, keep: Tensor | None, loss_of: LossFunction) -> Differentiated:
        """Embed rows (n_models, n, n_features), compute their loss, and differentiate it."""
        representation, starts = self._embed(x, keep)
        outputs, loss = loss_of(representation.requires_grad_())
        targets = [representation, *self._flat.parameters]
        slopes, *direct = torch.autograd.grad(
            loss, targets, torch.ones_like(loss), allow_unused=True, materialize_grads=True
        )
        gradient = self._flat.lay_out(direct).clone()
        end = states_of(self._generators)
        pieces = zip(self._pieces(x, keep), slopes.split(self._length, 1), starts, strict=True)
        for (x_piece, keep_piece), slopes_piece, start in pieces:
            restore(self._generators, start)
            gradient += self._flat.pull_back(self._network.represent(x_piece, keep_piece), slopes_piece)
        restore(self._generators, end)
        return Differentiated(outputs.detach(), loss.detach(), gradient)

    @torch.no_grad()
    def _embed(self, x: Tensor, keep: Tensor | None) -> tuple[Tensor, list[list[Tensor]]]:
        """Return the representation of all rows, and the states of the generators before each piece."""
        parts, starts = [], []
        for x_piece, keep_piece in self._pieces(x, keep):
            starts.append(states_of(self._generators))
            parts.append(self._network.represent(x_piece, keep_piece))
        return torch.cat(parts, 1), starts

    def _pieces(self, x: Tensor, keep: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
        for start in range(0, x.shape[1], self._length):
            piece = slice(start, start + self._length)
            yield x[:, piece], None if keep is None else keep[:, piece]
