"""Status of an open Lab: what it holds in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contimg_lab.records._fields import column, required

__all__ = ["LabStatus", "StoreStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """The store of epochs: off, none yet, building or ready."""

    state: str = required(None, "off, none, building or ready")
    why_off: str = required(None, "why it is off, in words; empty where it is not")
    n_rows: int = required(None, "epochs held, used or not")
    n_sources: int = required(None, "sources held")
    size_bytes: int = required("B", "memory mapped for it")
    most_bytes: int = required("B", "what it may take (CONTIMG_LAB_STORE_MB)")
    as_of: datetime | None = column("UTC", "when it was last known current")  # noqa: RUF009
    built_s: float | None = column("s", "how long the last build took")
    building: float | None = column("1", "how far a build is; None where there is none")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStatus:
    """What an open Lab holds in memory, and each file's role and how it is open."""

    store: StoreStatus
    files: tuple[str, ...]
