"""The table of the losses of ContrastiveEmbedder."""

from collections.abc import Mapping
from dataclasses import dataclass

from skmetric.losses.contrastive import forms
from skmetric.losses.contrastive.forms import Contrast

__all__ = ["LOSSES", "ContrastiveLoss", "refuse_unused"]


@dataclass(frozen=True)
class ContrastiveLoss:
    """A loss, with default values from its paper or from a search.

    Attributes
    ----------
    form : Contrast
        Function that computes the loss from distances.
    distance : str
        Default distance between embeddings.
    margin, temperature : float, optional
        Default values of these constructor parameters; None if the loss does not have the parameter.
    is_of_pairs : bool
        Whether it is a loss of single pairs, which does not compare positives and negatives of one anchor.
    has_proxies : bool
        Whether it compares rows with one learned point per class.
    sharpness_of_negatives : float, optional
        For a loss with two scales, one for positives and one for negatives: the scale of negatives, which is one over
        the temperature, divided by the scale of positives.
    """

    form: Contrast
    distance: str
    margin: float | None = None
    temperature: float | None = None
    is_of_pairs: bool = False
    has_proxies: bool = False
    sharpness_of_negatives: float | None = None

    def numbers(self, margin: float | None, temperature: float | None) -> dict[str, float]:
        """Return the numbers of the loss, under the names that its function uses."""
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
    # In the paper, the scale of negatives is 25 times that of positives, and both are centered at a similarity of 0.5.
    "multi_similarity": ContrastiveLoss(
        forms.multi_similarity, "cosine", margin=0.1, temperature=0.02, sharpness_of_negatives=25
    ),
    "proxy_anchor": ContrastiveLoss(forms.proxy_anchor, "cosine", margin=0.1, temperature=1 / 32, has_proxies=True),
}


def refuse_unused(name: str, **given: float | None) -> None:
    """Raise for a margin or a temperature that the loss would ignore."""
    for parameter, value in given.items():
        if value is not None and getattr(LOSSES[name], parameter) is None:
            others = ", ".join(repr(other) for other, loss in LOSSES.items() if getattr(loss, parameter) is not None)
            raise ValueError(
                f"{parameter} must be None for loss={name!r}, which has no {parameter}, got {parameter}={value}. Leave "
                f"it out, or choose a loss that has one: {others}."
            )
