"""Random lists with their labels, row ids and masks, shared by the tests of the losses."""

import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class Lists:
    """Labeled lists; `origin` numbers the distinct rows of each list, so equal numbers are equal embeddings."""

    embeddings: torch.Tensor
    labels: torch.Tensor
    origin: torch.Tensor
    mask: torch.Tensor | None = None


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def any_labels(n, n_classes, *, leading=(), width=4, seed=0, duplicates=False, masked=False):
    """Lists of n items of up to n_classes classes, of any sizes."""
    draw = generator(seed)
    labels = torch.randint(n_classes, (*leading, n), generator=draw)
    origin = torch.randint(n // 2, (*leading, n), generator=draw) if duplicates else torch.arange(n).expand(*leading, n)
    mask = torch.rand(*leading, n, generator=draw) < 0.7 if masked else None
    embeddings = normal(*leading, n, width, seed=seed + 1)
    return Lists(take_rows(embeddings, origin), labels, origin, mask)


def blocks(n_classes, samples_per_class, *, leading=(), width=4, seed=0, duplicates=False):
    """Lists in class-major order. With duplicates, rows are drawn with replacement within each class."""
    shape = (*leading, n_classes, samples_per_class)
    within = torch.arange(samples_per_class).expand(shape)
    if duplicates:
        within = torch.randint((samples_per_class + 1) // 2, shape, generator=generator(seed))
    rows = (within + samples_per_class * torch.arange(n_classes)[:, None]).flatten(-2)
    labels = torch.arange(n_classes).repeat_interleave(samples_per_class)
    embeddings = normal(*leading, n_classes * samples_per_class, width, seed=seed + 1)
    return Lists(take_rows(embeddings, rows), labels, rows)


def take_rows(embeddings, rows):
    return embeddings.gather(-2, rows[..., None].expand(*rows.shape, embeddings.shape[-1])).contiguous()


def value_and_gradient(function, embeddings, *args, **options):
    """Loss of each list, and the gradient of its sum with respect to the embeddings."""
    leaf = embeddings.detach().clone().requires_grad_()
    value = function(leaf, *args, **options)
    value.sum().backward()
    assert leaf.grad is not None
    return value.detach(), leaf.grad


def pool_equal_rows(gradient, origin):
    """Sum a gradient over the copies of each row: the sum does not depend on which copy a mining picked."""
    index = origin[..., None].expand_as(gradient)
    return torch.zeros_like(gradient).scatter_add(-2, index, gradient)


def assert_agree(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)
