"""The losses of ContrastiveEmbedder: their names, defaults and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import Contrast

__all__ = ["LOSSES", "Loss", "refuse_unused"]


@dataclass(frozen=True)
class Loss:
    """A loss with the defaults that its paper, or a search, gave it.

    Attributes
    ----------
    contrast : Contrast
        What it makes of distances.
    distance : str
        Between embeddings, where none is asked for.
    margin, temperature : float, optional
        None where the loss has none.
    """

    contrast: Contrast
    distance: str
    margin: float | None = None
    temperature: float | None = None

    def numbers(self, margin: float | None, temperature: float | None) -> dict[str, float]:
        """What enters the loss, by the names that the loss has for it."""
        chosen = {"margin": (margin, self.margin), "temperature": (temperature, self.temperature)}
        numbers = {
            name: float(default if value is None else value)
            for name, (value, default) in chosen.items()
            if default is not None
        }
        if self.contrast is forms.multi_similarity:
            # The paper weighs negatives 25 times as sharply as positives, around a similarity of a half.
            beta = 1 / numbers.pop("temperature")
            numbers |= {"alpha": beta / 25, "beta": beta, "base": 0.5}
        return numbers


LOSSES: Mapping[str, Loss] = {
    "contrastive": Loss(forms.contrastive, "euclidean", margin=1.0),
    "info_nce": Loss(forms.info_nce, "cosine", temperature=0.1),
    "sup_con": Loss(forms.sup_con, "cosine", temperature=0.1),
    "nce": Loss(forms.nce, "euclidean", margin=0.7, temperature=0.3),
    "nca": Loss(forms.nca, "sqeuclidean", temperature=0.2),
    "multi_similarity": Loss(forms.multi_similarity, "cosine", margin=0.1, temperature=0.02),
    "proxy_anchor": Loss(forms.proxy_anchor, "cosine", margin=0.1, temperature=1 / 32),
}


def refuse_unused(name: str, **given: float | None) -> None:
    """Raise for a margin or a temperature that a loss would ignore."""
    for parameter, value in given.items():
        if value is not None and getattr(LOSSES[name], parameter) is None:
            others = ", ".join(repr(other) for other, loss in LOSSES.items() if getattr(loss, parameter) is not None)
            raise ValueError(
                f"{parameter} must be None for loss={name!r}, which has no {parameter}; got {parameter}={value}. Leave "
                f"it out, or choose a loss that has one: {others}."
            )
