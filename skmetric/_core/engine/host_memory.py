"""Free memory of the host, within the limit of a container."""

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["free_host_memory"]

# Bytes assumed to be free if the system does not report them.
UNKNOWN = 1 << 32


class _Limit(NamedTuple):
    """Files in which Linux stores the memory limit of a container."""

    limit: str
    usage: str
    statistics: str
    cache: str  # statistic of the file cache that the system frees under memory pressure


LIMITS = (
    _Limit("memory.max", "memory.current", "memory.stat", "inactive_file"),
    _Limit("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


def free_host_memory(root: Path = Path("/")) -> int:
    """Return the free bytes, approximately: available without swapping, and within the limit of the container.

    File caches that the system can drop count as free.
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
    """Return the free bytes within the limit of a container, or a huge number if there is no limit."""
    try:
        limit, usage = (int((folder / name).read_text()) for name in (files.limit, files.usage))
    except (OSError, ValueError):
        return 1 << 62
    cache = _table(folder / files.statistics).get(files.cache, 0)
    return max(0, limit - usage + cache)


def _table(path: Path) -> dict[str, int]:
    """Read a file of ``name number`` lines as a dictionary; empty if the file is missing."""
    try:
        words = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {name: int(number) for name, number, *_ in words}
