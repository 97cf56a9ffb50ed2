"""The value that a layout is, and the shapes in which one table is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ALIASES", "Layout"]

ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pointing_history": {"mjd": ("timestamp_mjd", "timestamp")},
    "variability_stats": {
        "n_epochs": ("n_obs", "n_epochs"),
        "eta": ("eta_metric", "eta"),
    },
}
"""Tables of several shapes: our name of a column, and the names it has had, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one site keeps its tables.

    Attributes
    ----------
    name
        ``unified`` or ``split``.
    files
        Role of each file, and its path.
    owners
        Table name and the role of the file that owns it, where it is not the main one.
    main
        Role of the file that owns every other table.
    absent
        Role of a file that this site lacks, and why.
    notes
        What a reader should know about how the files were found.
    """

    name: str
    files: Mapping[str, Path]
    owners: Mapping[str, str] = field(default_factory=dict)
    main: str
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def role_of(self, table: str) -> str:
        """Role of the file that owns a table."""
        return self.owners.get(table.lower(), self.main)

    @property
    def path(self) -> Path:
        """The main file."""
        return self.files[self.main]
