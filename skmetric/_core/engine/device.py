"""Choose a device and measure its free memory."""

from functools import cache

import torch

from skmetric._core.engine.host_memory import free_host_memory

__all__ = ["free_memory", "is_out_of_memory", "resolve_device"]


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn the parameter ``device`` into an available device.

    "auto" takes CUDA if there is one, then MPS if this release of torch can train on it, then the CPU. A CUDA device is
    returned with its number, because the current CUDA device differs between threads.

    Raises
    ------
    ValueError
        If the name is unknown, or the machine does not have the device.
    """
    if device == "auto":
        kinds = (kind for kind in ("cuda", "mps", "cpu") if _is_available(torch.device(kind)))
        return resolve_device(next(kind for kind in kinds if kind != "mps" or _mps_differentiates_distances()))
    try:
        found = torch.device(device)
        usable = _is_available(found)
    except RuntimeError:
        usable = False
    if not usable:
        available = [kind for kind in ("cuda", "mps", "cpu") if _is_available(torch.device(kind))]
        raise ValueError(
            f"device must be 'auto' or a device of this machine ({', '.join(map(repr, available))}), got {device!r}. "
            "Use 'auto'."
        )
    if found.type == "cuda" and found.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return found


def free_memory(device: torch.device) -> int:
    """Free bytes of a device, approximately. Memory that torch's allocator holds in reserve counts as free."""
    if device.type == "cuda":
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + reserve
    return free_host_memory()


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory could not be allocated."""
    # torch has no class of errors for the memory of a CPU.
    is_of_host = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return is_of_host or isinstance(error, MemoryError | torch.OutOfMemoryError)


@cache
def _mps_differentiates_distances() -> bool:
    """Whether this release of torch has the gradient of distances on MPS. Many losses need it; old releases lack it."""
    try:
        with torch.inference_mode(False), torch.enable_grad():
            x = torch.zeros(2, 1, device="mps", requires_grad=True)
            torch.cdist(x, x.detach()).sum().backward()
    except RuntimeError:
        return False
    return True


def _is_available(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
