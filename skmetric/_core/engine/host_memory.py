"""How much memory of the host a process may still take."""

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["free_host_memory"]

# Bytes taken for free where the system does not say.
UNKNOWN = 1 << 32


class _Limit(NamedTuple):
    """Files in which Linux keeps the limit of a container."""

    limit: str
    usage: str
    statistics: str
    cache: str  # the statistic of what would be given up for want of memory


LIMITS = (
    _Limit("memory.max", "memory.current", "memory.stat", "inactive_file"),
    _Limit("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


def free_host_memory(root: Path = Path("/")) -> int:
    """Bytes, about: what the system could give without swapping, within the limit of the container.

    Files that the system holds in memory only as long as there is room count as free.
    """
    return min([_free_in_all(root), *(_free_within(each, root / "sys/fs/cgroup") for each in LIMITS)])


def _free_in_all(root: Path) -> int:
    known = _table(root / "proc/meminfo")
    if "MemAvailable:" in known:
        return known["MemAvailable:"] * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return UNKNOWN


def _free_within(files: _Limit, folder: Path) -> int:
    """Without a limit, more than there is."""
    try:
        limit, usage = (int((folder / name).read_text()) for name in (files.limit, files.usage))
    except (OSError, ValueError):
        return 1 << 62
    cache = _table(folder / files.statistics).get(files.cache, 0)
    return max(0, limit - usage + cache)


def _table(path: Path) -> dict[str, int]:
    """The second word of each line by the first."""
    try:
        words = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {name: int(number) for name, number, *_ in words}
