"""How a step gets the gradient of its loss: in one go, or piece by piece where activations would fill the memory."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from skmetric._core.engine.randomness import global_generators, restore, states_of
from skmetric._core.nn import FlatParameters, Outputs, StackNetwork

__all__ = ["Differentiated", "InPieces", "Judge", "Whole", "open_gradients"]

# From the embedded rows' representation to what the network makes of the items, and to each model's loss (n_models,).
Judge = Callable[[Tensor], tuple[Outputs, Tensor]]


class Differentiated(NamedTuple):
    """What a step makes of its rows."""

    outputs: Outputs  # of the items; this and the loss without a gradient
    loss: Tensor  # (n_models,)
    gradient: Tensor  # in the layout of the flat parameters, which the next step overwrites


def open_gradients(
    network: StackNetwork, flat: FlatParameters, n_embedded: int, chunk_length: int | None
) -> "Whole | InPieces":
    """Take gradients in pieces of ``chunk_length`` rows, where there are several and a representation to learn."""
    if chunk_length is None or chunk_length >= n_embedded or not network.learns_representation:
        return Whole(network, flat)
    return InPieces(network, flat, chunk_length)


class Whole:
    """The gradient in one go.

    Parameters
    ----------
    network : StackNetwork
        Embeds rows.
    flat : FlatParameters
        Its parameters.
    """

    def __init__(self, network: StackNetwork, flat: FlatParameters) -> None:
        self._network = network
        self._flat = flat

    def __call__(self, x: Tensor, keep: Tensor | None, judge: Judge) -> Differentiated:
        """Embed rows (n_models, n, n_features), judge them, and differentiate."""
        outputs, loss = judge(self._network.represent(x, keep))
        return Differentiated(outputs.detach(), loss.detach(), self._flat.gradient(loss))


class InPieces:
    """Gradient caching: activations of a piece of the rows are in memory, never those of all.

    The rows are embedded piece by piece without a gradient. The loss of all is differentiated down to the
    representation, and to the parameters that it depends on without it (the head's, proxies). Then each piece is
    embedded again, with the same random choices, and its part of the representation's gradient passed on. The rows
    themselves, dropout's factors and the representation are there whole.

    Gao, Zhang, Han, Callan (2021). Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup. RepL4NLP.
    The paper cuts at the network's output; we cut before the head, which costs no memory, so that objectives may
    differentiate scores by the representation, as they may without pieces.

    Parameters
    ----------
    network : StackNetwork
        Embeds rows.
    flat : FlatParameters
        Its parameters.
    length : int
        Rows of a piece.
    """

    def __init__(self, network: StackNetwork, flat: FlatParameters, length: int) -> None:
        self._network = network
        self._flat = flat
        self._length = length
        self._generators = global_generators(flat.values.device) if network.draws_globally else []

    def __call__(self, x: Tensor, keep: Tensor | None, judge: Judge) -> Differentiated:
        """Embed rows (n_models, n, n_features), judge them, and differentiate."""
        representation, starts = self._embed(x, keep)
        outputs, loss = judge(representation.requires_grad_())
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
        """Representation of all rows, and where the generators were before each piece."""
        parts, starts = [], []
        for x_piece, keep_piece in self._pieces(x, keep):
            starts.append(states_of(self._generators))
            parts.append(self._network.represent(x_piece, keep_piece))
        return torch.cat(parts, 1), starts

    def _pieces(self, x: Tensor, keep: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
        for start in range(0, x.shape[1], self._length):
            piece = slice(start, start + self._length)
            yield x[:, piece], None if keep is None else keep[:, piece]
