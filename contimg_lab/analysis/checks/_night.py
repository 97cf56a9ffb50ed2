"""What a check is given: the columns of one night, read before, and what of them is absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._tables import TABLES
from contimg_lab.errors import InvalidInput

__all__ = ["Columns", "Night", "make_night"]


class Columns(Mapping[str, NDArray[Any]]):
    """Columns of one table, of one length: float64 with NaN for missing, object for text.

    Parameters
    ----------
    name
        Name of the table, one of `TABLES`.
    values
        By name; those left out are missing throughout.

    Raises
    ------
    InvalidInput
        A name that the table does not have, or lengths that differ.
    """

    __slots__ = ("_length", "_values", "name")

    def __init__(self, name: str, values: Mapping[str, Iterable[Any]]) -> None:
        declared = TABLES[name]
        unknown = set(values) - set(declared)
        if unknown:
            raise InvalidInput(f"the table {name} of a night has no column {min(unknown)!r}")
        made: dict[str, NDArray[Any]] = {}
        for column, told in declared.items():
            if column in values:
                made[column] = _array(values[column], told.is_text)
        lengths = {len(array) for array in made.values()}
        if len(lengths) > 1:
            raise InvalidInput(f"columns of the table {name} of a night differ in length")
        self.name = name
        self._length = lengths.pop() if lengths else 0
        for column, told in declared.items():
            if column not in made:
                empty = None if told.is_text else np.nan
                made[column] = np.full(self._length, empty, object if told.is_text else float)
            made[column].flags.writeable = False
        self._values = made

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self._values[column]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def n_rows(self) -> int:
        """Length of every column."""
        return self._length

    def where(self, rows: NDArray[Any]) -> Columns:
        """Take some rows, by a mask or by their positions."""
        return Columns(self.name, {column: array[rows] for column, array in self._values.items()})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Night:
    """One night as checks see it.

    Attributes
    ----------
    night
        UTC date.
    hours
        UTC hours that hold a tile, ascending: the units that are judged.
    as_of_unix_s
        When it was read, Unix seconds: what the age of a running step is counted to. A
        verification years later uses the recorded one.
    absent
        Why a table, or a column as ``table.column``, is not to be had here.
    ms, runs
        Every MS of the night, tiles, calibrators and twins, in order of time; and its run.
    groups
        Groups of raw files of the night, with an MS and without.
    covers
        Of each tile, one row for each table type that the registry holds.
    tiers
        Of each tile, whether its tables were solved on its own UTC date.
    caltables
        Tables that ``covers`` names.
    images
        Images of the night's MS, of every type.
    references
        What an hour's noise is compared with: earlier nights only.
    photometry
        Rows of catalogued sources measured in these images.
    catalogue
        Sources of at least 50 mJy that a catalogue has in the fields of each hour.
    astrometry
        Measured astrometry of the night.
    clocks
        Every stored time of the night's rows of ms_index, images, jobs and photometry.
    """

    night: str
    hours: tuple[int, ...]
    as_of_unix_s: float
    absent: Mapping[str, str]
    ms: Columns
    runs: Columns
    groups: Columns
    covers: Columns
    tiers: Columns
    caltables: Columns
    images: Columns
    references: Columns
    photometry: Columns
    catalogue: Columns
    astrometry: Columns
    clocks: Columns

    def why_absent(self, *needs: str) -> str:
        """Return why the first of some tables or columns is absent; "" where none is.

        Parameters
        ----------
        *needs
            ``table`` or ``table.column``; a column is absent with its table.
        """
        for need in needs:
            for name in (need.partition(".")[0], need):
                if name in self.absent:
                    return self.absent[name]
        return ""


def make_night(
    night: str,
    *,
    hours: Iterable[int] | None = None,
    as_of_unix_s: float = float("nan"),
    absent: Mapping[str, str] | None = None,
    **tables: Mapping[str, Iterable[Any]],
) -> Night:
    """Make the value of a night from columns by table and name.

    Parameters
    ----------
    night
        UTC date.
    hours
        UTC hours that are judged; None: those of the tiles in ``ms``.
    as_of_unix_s
        When it was read, Unix seconds.
    absent
        As in `Night`.
    **tables
        Columns by name, for each of `TABLES`; a table left out has no rows. None and what is
        no number become NaN in a column of numbers.

    Raises
    ------
    InvalidInput
        A table or column that a night does not have, or lengths that differ.
    """
    unknown = set(tables) - set(TABLES)
    if unknown:
        raise InvalidInput(f"a night has no table {min(unknown)!r}")
    for name in absent or {}:
        table, _, column = name.partition(".")
        if table not in TABLES or (column and column not in TABLES[table]):
            raise InvalidInput(f"a night has no {name!r} that could be absent")
    made = {name: Columns(name, tables.get(name, {})) for name in TABLES}
    if hours is None:
        mine = made["ms"]["hour"][made["ms"]["kind"] == "tile"]
        hours = sorted({int(hour) for hour in mine if np.isfinite(hour)})
    return Night(
        night=night,
        hours=tuple(hours),
        as_of_unix_s=as_of_unix_s,
        absent=MappingProxyType(dict(absent or {})),
        **made,
    )


def _array(values: Iterable[Any], is_text: bool) -> NDArray[Any]:
    if not is_text:
        return np.array(list(values), float)
    held = list(values)
    array: NDArray[Any] = np.empty(len(held), object)
    array[:] = held
    return array
