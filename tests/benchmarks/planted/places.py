"""Where a fault can be planted: an hour of a night in a private copy of a season's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["FLUXES", "Place", "Planted"]

Rng = np.random.Generator

FLUXES = ("peak_jyb", "flux_jy", "normalized_flux_jy", "peak_flux_jy")
ERRORS = ("peak_err_jyb", "flux_err_jy", "normalized_flux_err_jy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What must be told of a fault.

    Attributes
    ----------
    hours
        UTC hours in which its check must speak; None: of the whole night.
    rows
        Keys that the check must name among its rows (or as its own key), all hours together.
    """

    hours: frozenset[int | None]
    rows: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Place:
    """One UTC hour of one night, whose rows can be changed.

    Attributes
    ----------
    db
        A copy of a season's database, with the night's other hours beside it.
    rng
        Chooses everything that is left to chance.
    night, hour
        UTC date and hour.
    hours
        Tiles of every hour of the night, by path, in order of time.
    earlier
        Another night, before it.
    """

    db: sqlite3.Connection
    rng: Rng
    night: str
    hour: int
    hours: dict[int, list[str]]
    earlier: str
    tiles: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tiles = self.hours[self.hour]

    def told(self, rows: Iterable[object] = ()) -> Planted:
        """Say that the place's own hour must be told, with these rows."""
        return Planted(hours=frozenset({self.hour}), rows=frozenset(map(str, rows)))

    def some(self, n: int, inside: bool = False) -> list[str]:
        """Choose tiles at random; ``inside``: neighbours, neither the first nor the last."""
        if inside:
            first = int(self.rng.integers(1, len(self.tiles) - n))
            return self.tiles[first : first + n]
        return [self.tiles[i] for i in sorted(self.rng.choice(len(self.tiles), n, replace=False))]

    def run(self, sql: str, *values: object) -> int:
        """Change rows; returns how many."""
        return self.db.execute(sql, values).rowcount

    def each(self, sql: str, paths: Sequence[str], *values: object) -> int:
        """Change the rows of several paths: the last parameter of a statement is the path."""
        return sum(self.run(sql, *values, path) for path in paths)

    def all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Read rows."""
        return self.db.execute(sql, values).fetchall()

    def images(self, paths: Sequence[str], kind: str = "image") -> list[int]:
        """Ids of the images of some tiles, of one type."""
        marks = ", ".join("?" * len(paths))
        sql = f"SELECT id FROM images WHERE type = ? AND ms_path IN ({marks}) ORDER BY id"
        return [int(str(row[0])) for row in self.all(sql, kind, *paths)]

    def measured(self, paths: Sequence[str]) -> list[int]:
        """Ids of the photometry rows of some tiles."""
        marks = ", ".join("?" * len(paths))
        sql = (
            "SELECT id FROM photometry WHERE image_path IN "
            f"(SELECT path FROM images WHERE ms_path IN ({marks})) ORDER BY id"
        )
        return [int(str(row[0])) for row in self.all(sql, *paths)]

    def share(self, ids: Sequence[int], share: float) -> list[int]:
        """Choose a share of some rows at random, at least one."""
        n = max(1, round(share * len(ids)))
        return sorted(self.rng.choice(ids, n, replace=False).tolist())

    def scale(self, ids: Sequence[int], factors: Sequence[float], errors: bool = True) -> None:
        """Multiply the fluxes of some photometry rows; ``errors``: and theirs, as a gain does."""
        names = (*FLUXES, *ERRORS) if errors else FLUXES
        sql = f"UPDATE photometry SET {', '.join(f'{n} = {n} * ?1' for n in names)} WHERE id = ?2"
        self.db.executemany(sql, zip(factors, ids, strict=True))

    def unmade(self, paths: Sequence[str]) -> None:
        """Delete what was made of some tiles: images and photometry."""
        self.each(
            "DELETE FROM photometry WHERE image_path IN "
            "(SELECT path FROM images WHERE ms_path = ?)",
            paths,
        )
        self.each("DELETE FROM images WHERE ms_path = ?", paths)

    def unseen(self, paths: Sequence[str]) -> None:
        """Delete some tiles as if the pipeline had never taken them in; raw files stay."""
        self.unmade(paths)
        self.each("DELETE FROM jobs WHERE ms_path = ?", paths)
        self.each("DELETE FROM calibration_applied WHERE ms_path = ?", paths)
        self.each("DELETE FROM ms_index WHERE path = ?", paths)

    def groups(self, paths: Sequence[str]) -> list[str]:
        """Groups of raw files of some tiles."""
        marks = ", ".join("?" * len(paths))
        found = self.all(f"SELECT group_id FROM ms_index WHERE path IN ({marks})", *paths)
        return [str(row[0]) for row in found]
