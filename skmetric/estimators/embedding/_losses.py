"""The losses of ContrastiveEmbedder: one record each."""

from collections.abc import Mapping
from dataclasses import dataclass

from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import Contrast

__all__ = ["LOSSES", "ContrastiveLoss", "refuse_unused"]


@dataclass(frozen=True)
class ContrastiveLoss:
    """A loss, with the defaults that its paper, or a search, gave it.

    Attributes
    ----------
    form : Contrast
        What it makes of distances.
    distance : str
        Between embeddings, where none is asked for.
    margin, temperature : float, optional
        Defaults of the constructor's numbers; None where the loss has no such number.
    is_of_pairs : bool
        Whether it is a loss of single pairs, which needs no anchor with a positive and negatives.
    has_proxies : bool
        Whether it compares rows with one learned point per class.
    sharpness_of_negatives : float, optional
        For the loss whose temperature is one over the sharpness of negatives: how many times that of positives it is.
    """

    form: Contrast
    distance: str
    margin: float | None = None
    temperature: float | None = None
    is_of_pairs: bool = False
    has_proxies: bool = False
    sharpness_of_negatives: float | None = None

    def numbers(self, margin: float | None, temperature: float | None) -> dict[str, float]:
        """What enters the loss, by the names that the loss has for it."""
        chosen = {"margin": (margin, self.margin), "temperature": (temperature, self.temperature)}
        numbers = {
            name: float(default if value is None else value)
            for name, (value, default) in chosen.items()
            if default is not None
        }
        if self.sharpness_of_negatives is not None:
            beta = 1 / numbers.pop("temperature")
            numbers |= {"alpha": beta / self.sharpness_of_negatives, "beta": beta, "base": 0.5}
        return numbers


LOSSES: Mapping[str, ContrastiveLoss] = {
    "contrastive": ContrastiveLoss(forms.contrastive, "euclidean", margin=1.0, is_of_pairs=True),
    "info_nce": ContrastiveLoss(forms.info_nce, "cosine", temperature=0.1),
    "sup_con": ContrastiveLoss(forms.sup_con, "cosine", temperature=0.1),
    "nce": ContrastiveLoss(forms.nce, "euclidean", margin=0.7, temperature=0.3, is_of_pairs=True),
    "nca": ContrastiveLoss(forms.nca, "sqeuclidean", temperature=0.2),
    # The paper weighs negatives 25 times as sharply as positives, around a similarity of a half.
    "multi_similarity": ContrastiveLoss(
        forms.multi_similarity, "cosine", margin=0.1, temperature=0.02, sharpness_of_negatives=25
    ),
    "proxy_anchor": ContrastiveLoss(forms.proxy_anchor, "cosine", margin=0.1, temperature=1 / 32, has_proxies=True),
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
