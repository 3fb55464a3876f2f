"""Where the work is done."""

import torch

__all__ = ["resolve_device"]


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn the parameter ``device`` into a device that is there.

    "auto" takes CUDA, then MPS, then the CPU.

    Raises
    ------
    ValueError
        When the name is unknown, or names a device that this machine does not have.
    """
    if device == "auto":
        return next(torch.device(kind) for kind in ("cuda", "mps", "cpu") if _is_there(torch.device(kind)))
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
    return found


def _is_there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
