"""A table of all contrastive losses with random lists to try them on.

To add a loss, write its definition in `enumeration`, its values by hand in `test_contrast_table`, and one row here.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from tests.losses.cases import any_labels, generator, normal

# Margins lie among the distances of standard normal rows of four features.
MARGIN = {"euclidean": 2.5, "sqeuclidean": 7.0, "cosine": 0.9}
MASK_OF = {"real_logits": "real_mask", "noise_logits": "noise_mask"}  # the mask of all other arguments is `mask`


@dataclasses.dataclass(frozen=True)
class Loss:
    """What is true of a loss, and how to draw random lists for it.

    A loss of labeled lists has `numbers`: a function from a distance in the middle of all distances to its options. Any
    other loss has `draw`: a function from sizes to what is learned (tensors with a gradient) and the other arguments.
    """

    numbers: Callable[[float], dict[str, float]] | None = None
    draw: Callable[..., tuple[dict[str, torch.Tensor], dict[str, Any]]] | None = None
    distance: str | None = None  # the default distance; None: the loss has no distances
    required: tuple[str, ...] = ()  # numbers without a default
    nothing: tuple[str, ...] = ()  # kinds of labeled lists with nothing to learn from
    shared: tuple[str, ...] = ()  # learned arguments that all lists of a stack may share
    is_softmax: bool = False  # a softmax over a batch, with a temperature
    is_scale_free: bool = False  # unchanged if embeddings, margin and temperature are scaled together
    grows_with_margin: bool = False  # a wider margin never lowers the value


def draw_paired(n, leading, width, distance, seed):
    draw = generator(seed)
    mask = torch.rand(*leading, n, generator=draw) < 0.7
    learned = {side: normal(*leading, n, width, seed=seed + i) for i, side in enumerate(("anchors", "positives"))}
    options = {"temperature": 0.4, "distance": distance, "log_rate": normal(*leading, n, seed=seed + 2)}
    options |= {f"{side[:-1]}_ids": torch.randint(n + 2, (*leading, n), generator=draw) for side in learned}
    return learned, options | {"mask": mask}


def draw_nce(n, leading, width, distance, seed):
    del width, distance
    draw = generator(seed)
    learned = {"real_logits": normal(*leading, n, seed=seed), "noise_logits": normal(*leading, n + 3, seed=seed + 1)}
    masks = {MASK_OF[key]: torch.rand(each.shape, generator=draw) < 0.7 for key, each in learned.items()}
    return learned, {"log_noise_ratio": 0.3} | masks


def draw_sampled(n, leading, width, distance, seed):
    del width, distance
    draw = generator(seed)
    mask = torch.rand(*leading, n, generator=draw) < 0.7
    learned = {"true_logits": normal(*leading, n, seed=seed), "sampled_logits": normal(*leading, n, 5, seed=seed + 1)}
    options = {"log_true_rate": normal(*leading, n, seed=seed + 2)}
    options["log_sampled_rate"] = normal(*leading, n, 5, seed=seed + 3)
    options["is_hit"] = torch.rand(*leading, n, 5, generator=draw) < 0.3
    return learned, options | {"mask": mask}


LOSSES = {
    "batch_contrastive_loss": Loss(
        lambda middle: {"margin": middle},
        distance="euclidean",
        required=("margin",),
        nothing=("all masked", "one item"),
    ),
    "info_nce_loss": Loss(
        lambda middle: {"temperature": 0.3},
        distance="cosine",
        required=("temperature",),
        nothing=("all masked", "one item", "singletons", "one class"),
        is_softmax=True,
        is_scale_free=True,
    ),
    "sup_con_loss": Loss(
        lambda middle: {"temperature": 0.3},
        distance="cosine",
        required=("temperature",),
        nothing=("all masked", "one item", "singletons"),
        is_softmax=True,
        is_scale_free=True,
    ),
    "nca_loss": Loss(
        lambda middle: {"temperature": 0.7},
        distance="sqeuclidean",
        nothing=("all masked", "one item", "singletons"),
        is_softmax=True,
        is_scale_free=True,
    ),
    "multi_similarity_loss": Loss(
        lambda middle: {"alpha": 2.0, "beta": 5.0, "base": 1 - middle, "margin": middle / 10},
        distance="cosine",
        nothing=("all masked", "one item", "singletons", "one class"),
        grows_with_margin=True,
    ),
    "proxy_anchor_loss": Loss(
        lambda middle: {"margin": 0.1, "temperature": 0.4},
        distance="cosine",
        nothing=("all masked",),
        shared=("embeddings", "proxies"),
        grows_with_margin=True,
    ),
    "batch_nce_loss": Loss(
        lambda middle: {"margin": middle, "temperature": 0.5},
        distance="euclidean",
        required=("margin", "temperature"),
        nothing=("all masked", "one item", "singletons", "one class"),
        is_scale_free=True,
    ),
    "paired_info_nce_loss": Loss(draw=draw_paired, distance="cosine", required=("temperature",), is_scale_free=True),
    "nce_loss": Loss(draw=draw_nce, shared=("real_logits", "noise_logits")),
    "sampled_softmax_loss": Loss(draw=draw_sampled, shared=("sampled_logits",)),
}


def names(condition=lambda loss: True):
    """Names of the rows for which a condition holds."""
    return [name for name, loss in LOSSES.items() if condition(loss)]


LABELED = names(lambda loss: loss.numbers is not None)
MEASURED = names(lambda loss: loss.distance is not None)


def with_numbers(*numbers):
    """All (name, number) of the losses with a distance and one of these numbers."""
    return [(name, number) for name in MEASURED for number in numbers if number in example(name, 2)[1]]


def of_lists(name, lists, distance):
    """What is learned (tensors with a gradient) and the other arguments of a loss of labeled lists."""
    learned, options = {"embeddings": lists.embeddings}, {"labels": lists.labels, "distance": distance}
    if "proxies" in LOSSES[name].shared:
        n_proxies = 2 + max(lists.labels.flatten().tolist(), default=0)  # one of them has no item
        learned["proxies"] = normal(*lists.embeddings.shape[:-2], n_proxies, lists.embeddings.shape[-1], seed=99)
    if lists.mask is not None:
        options["mask"] = lists.mask
    return learned, options | LOSSES[name].numbers(MARGIN[distance])


def example(name, n, *, leading=(), width=4, distance="euclidean", n_classes=3, seed=0, masked=False):
    """Random lists for any loss: what is learned, and the other arguments."""
    if name in LABELED:
        lists = any_labels(n, n_classes, leading=leading, width=width, seed=seed, masked=masked)
        return of_lists(name, lists, distance)
    learned, options = LOSSES[name].draw(n, leading, width, distance, seed)
    return learned, {key: each for key, each in options.items() if masked or not key.endswith("mask")}


def evaluate(loss, learned, options, weights=1.0):
    """Values of a loss, and the gradients of their weighted sum with respect to all that is learned."""
    leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in learned.items()}
    values = loss(**leaves, **options)
    (values * weights).sum().backward()
    return values.detach(), {name: leaf.grad for name, leaf in leaves.items()}
