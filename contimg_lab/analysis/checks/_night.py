"""What a check is given: the columns of one night, read before, and what of them is absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import InvalidInput

__all__ = ["TABLES", "Column", "Columns", "Night", "make_night"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column: text or number, its unit, its meaning."""

    is_text: bool
    unit: str | None
    meaning: str


def _text(meaning: str) -> Column:
    return Column(True, None, meaning)


def _number(unit: str | None, meaning: str) -> Column:
    return Column(False, unit, meaning)


_MJD = "d (MJD, UTC)"
_UNIX = "s (Unix, UTC)"
_HOUR = _number("h (UTC)", "UTC hour of the MS's start; NaN where it is unknown")

TABLES: Mapping[str, Mapping[str, Column]] = {
    "ms": {
        "path": _text("key: the Measurement Set"),
        "hour": _HOUR,
        "kind": _text("tile, calibrator or twin"),
        "status": _text("word of ms_index, as it stands"),
        "stage": _text("word of ms_index, as it stands"),
        "start_mjd": _number(_MJD, "start, recorded or worked out"),
        "mid_mjd": _number(_MJD, "middle, recorded or worked out"),
        "time_source": _text("mid_mjd, start_mjd, name, group_id or unknown"),
        "stored_start_mjd": _number(_MJD, "start as recorded"),
        "stored_mid_mjd": _number(_MJD, "middle as recorded"),
        "stored_end_mjd": _number(_MJD, "end as recorded"),
        "name_mjd": _number(_MJD, "start that stands in the path"),
        "ra_deg": _number("deg", "where it looked (ICRS)"),
        "dec_deg": _number("deg", "where it looked (ICRS)"),
        "lst_residual_deg": _number("deg (of date)", "right ascension less sidereal time"),
        "dec_of_date_deg": _number("deg (of date)", "declination"),
        "dec_offset_deg": _number("deg (of date)", "declination less the median of the night"),
        "damaged": _text("columns whose stored value is of the wrong kind, by commas"),
    },
    "runs": {
        "path": _text("key: the Measurement Set"),
        "run_id": _text("the run"),
        "hour": _HOUR,
        "status": _text("running, failed, pending, completed, or the pipeline's own word"),
        "cause": _text("kind of failure"),
        "step": _text("type of the step that decided"),
        "started_at": _number(_UNIX, "first start of the latest attempts"),
        "finished_at": _number(_UNIX, "last finish of the latest attempts"),
        "attempts": _number("1", "rows of the jobs table; 0 where ms_index alone makes the run"),
    },
    "groups": {
        "group_id": _text("key: group of raw sub-band files"),
        "hour": _HOUR,
        "n_subbands": _number("1", "files; 16 make a whole group"),
        "has_ms": _number("1", "1 where an MS of any night was made from it, else 0"),
    },
    "covers": {
        "path": _text("key, with table_type: the tile"),
        "hour": _HOUR,
        "table_type": _text("K, BA, BP, G, GA, GP, 2G, FLUX"),
        "state": _text("inside, nearest, none or unknown"),
        "distance_hours": _number("h", "from the tile's middle to the middle of the window"),
        "table_path": _text("active table that covers or is nearest"),
        "is_bandpass": _number("1", "1 for the one that counts as the tile's bandpass, else 0"),
    },
    "tiers": {
        "path": _text("key: the tile"),
        "hour": _HOUR,
        "tier": _text("A, B, C or unknown"),
        "bandpass_night": _text("UTC date that its bandpass table was solved on"),
        "gain_night": _text("UTC date that its gain table was solved on"),
        "why": _text("the tier in words"),
    },
    "caltables": {
        "path": _text("key: a table that covers names"),
        "set_name": _text("its set"),
        "table_type": _text("K, BA, BP, G, GA, GP, 2G, FLUX"),
        "status": _text("active, retired or failed"),
        "valid_start_mjd": _number(_MJD, "start of its window"),
        "valid_end_mjd": _number(_MJD, "end of its window; infinity where it is open"),
        "created_at": _number(_UNIX, "when it was made"),
        "snr_mean": _number("1", "as recorded in quality_metrics"),
        "flagged_fraction": _number("1", "as recorded in quality_metrics"),
        "n_antennas": _number("1", "as recorded in quality_metrics"),
        "solved_night": _text("UTC date of the calibrator's observation; None where unknown"),
    },
    "images": {
        "id": _text("key: the row's id, as text"),
        "path": _text("the image"),
        "ms_path": _text("MS that it was made from"),
        "hour": _HOUR,
        "type": _text("image, 5min, pbcor, residual ..."),
        "is_tile": _number("1", "1 for the tile image of a tile, else 0"),
        "created_at": _number(_UNIX, "when it was made"),
        "noise_jy": _number("Jy/beam", "rms noise, as stored"),
        "dynamic_range": _number("1", "peak over noise, as stored"),
        "beam_major_arcsec": _number("arcsec", "FWHM, as stored"),
        "beam_minor_arcsec": _number("arcsec", "FWHM, as stored"),
        "beam_pa_deg": _number("deg", "east of north, as stored"),
        "damaged": _text("columns whose stored value is of the wrong kind, by commas"),
    },
    "references": {
        "hour": _HOUR,
        "noise_median_jy": _number("Jy/beam", "of earlier nights' tiles at the same sidereal time"),
        "noise_mad_jy": _number("Jy/beam", "their median absolute deviation, not scaled"),
        "n": _number("1", "tiles that it is of"),
        "of": _text("what it is of, in words: tiles of earlier nights, the night's other hours"),
    },
    "photometry": {
        "id": _text("key: the row's id, as text"),
        "source_id": _text("the source"),
        "image": _number("1", "row of the table images, NaN for none"),
        "hour": _HOUR,
        "mjd": _number(_MJD, "epoch of the observation"),
        "time_source": _text("column that the epoch came from"),
        "flux_jy": _number("Jy", "flux that counts"),
        "flux_err_jy": _number("Jy", "its error"),
        "reason": _text("why it does not count; empty where it counts"),
        "quality_flag": _text("as stored, 0 and NULL as empty"),
        "flags": _text("as stored, 0 and NULL as empty"),
        "nvss_flux_mjy": _number("mJy", "catalogued flux of the source"),
        "reference_flux_jy": _number("Jy", "weighted mean of its earlier nights"),
        "reference_err_jy": _number("Jy", "error of that mean"),
        "reference_n": _number("1", "epochs of earlier nights that it is of"),
        "reference_eta": _number("1", "reduced chi-squared of those epochs"),
    },
    "catalogue": {
        "name": _text("key, with hour: a catalogued source in the field of the hour"),
        "hour": _HOUR,
        "flux_mjy": _number("mJy", "catalogued flux"),
        "is_found": _number("1", "1 where an image of the hour shows it above 5 sigma, else 0"),
    },
    "astrometry": {
        "id": _text("key: the row's id, as text"),
        "hour": _HOUR,
        "n_matches": _number("1", "matched sources"),
        "ra_offset_mas": _number("mas", "measured offset in right ascension"),
        "dec_offset_mas": _number("mas", "measured offset in declination"),
        "rms_residual_mas": _number("mas", "rms of the residuals"),
    },
    "clocks": {
        "table": _text("pipeline's table"),
        "key": _text("key of the row"),
        "hour": _HOUR,
        "column": _text("name of the column, one that ends in _at or _mjd, or timestamp"),
        "value": _number(None, "as stored: an MJD or Unix seconds"),
    },
}
"""Tables and columns of a night; which rows they hold stands in `Night`."""


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
