"""Where the work is done."""

from functools import cache

import torch

from skmetric._core.engine.host_memory import free_host_memory

__all__ = ["free_memory", "resolve_device"]


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn the parameter ``device`` into a device that is there.

    "auto" takes CUDA, then MPS, where torch's release can train on it, then the CPU. A CUDA device comes with its
    number: which one is current is a thread's own.

    Raises
    ------
    ValueError
        When the name is unknown, or names a device that this machine does not have.
    """
    if device == "auto":
        kinds = (kind for kind in ("cuda", "mps", "cpu") if _is_there(torch.device(kind)))
        return resolve_device(next(kind for kind in kinds if kind != "mps" or _mps_differentiates_distances()))
    try:
        found = torch.device(device)
        usable = _is_there(found)
    except RuntimeError:
        usable = False
    if not usable:
        there = [kind for kind in ("cuda", "mps", "cpu") if _is_there(torch.device(kind))]
        raise ValueError(
            f"device must be 'auto' or a device of this machine ({', '.join(map(repr, there))}); got {device!r}."
        )
    if found.type == "cuda" and found.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return found


def free_memory(device: torch.device) -> int:
    """Bytes that a device has free, about; what torch's own allocator holds in reserve is free too."""
    if device.type == "cuda":
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + reserve
    return free_host_memory()


@cache
def _mps_differentiates_distances() -> bool:
    """Whether this release of torch has the gradient of distances on MPS, which many losses need: the first had not."""
    try:
        with torch.inference_mode(False), torch.enable_grad():
            x = torch.zeros(2, 1, device="mps", requires_grad=True)
            torch.cdist(x, x.detach()).sum().backward()
    except RuntimeError:
        return False
    return True


def _is_there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
