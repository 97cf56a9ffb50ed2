"""How many nights may be run at the same time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["default_jobs"]

_NIGHT_MB = 700  # of a night: its kernel, and the process that asks it


def default_jobs() -> int:
    """As many nights at once as there are processors, and as memory holds."""
    with contextlib.suppress(AttributeError):
        processors = len(os.sched_getaffinity(0))
        return max(1, min(processors, _free_mb() // _NIGHT_MB))
    return max(1, min(os.cpu_count() or 1, _free_mb() // _NIGHT_MB))


def _free_mb() -> int:
    """Memory that is free or could be, megabytes; half of all where nothing else is known."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    with contextlib.suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**21
    return _NIGHT_MB
