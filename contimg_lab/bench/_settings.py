"""What the benchmark is told to measure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to measure, on what, and for how long.

    Attributes
    ----------
    db
        A database of the user's own, which is only read; None: databases that are made.
    rows
        Photometry rows of the databases that are made.
    seconds
        How long each way is measured, where it can be repeated.
    cache
        Folder in which made databases are kept.
    only
        Names of works; empty: all.
    callers
        How many ask for light curves at a time.
    n_ms, n_listed
        Measurement Sets beside which the list of jobs is measured, and jobs in that list.
    log_bytes
        Size of the log.
    peers
        Measure other packages, plain sqlite3 and one shared connection, too.
    """

    db: Path | None = None
    rows: tuple[int, ...] = (100_000, 2_000_000, 10_000_000)
    seconds: float = 5.0
    cache: Path = field(default_factory=lambda: user_cache_path("contimg_lab"))
    only: tuple[str, ...] = ()
    callers: int = 64
    n_ms: int = 100_000
    n_listed: int = 1_000
    log_bytes: int = 1_000_000_000
    peers: bool = True
