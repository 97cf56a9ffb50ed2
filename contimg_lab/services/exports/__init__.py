"""Files and values for other tools: VOTable, ECSV, Parquet, CSV, astropy and lightkurve.

Whatever is written carries units on its columns, descriptions, and the provenance: database,
time, version, call and parameters.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from contimg_lab.errors import ContimgLabError, InvalidInput
from contimg_lab.services._origin import Origin
from contimg_lab.services.exports._curves import light_curve_of, lightkurve_of
from contimg_lab.services.exports._files import readable, write_whole
from contimg_lab.services.exports._formats import (
    arrow_of,
    parse_ecsv,
    parse_parquet,
    parse_votable,
    write_csv,
    write_ecsv,
    write_votable,
)
from contimg_lab.services.exports._tables import table_of

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Table
    from matplotlib.figure import Figure

    from contimg_lab.services.light_curve import LightCurve

__all__ = [
    "Origin",
    "from_astropy",
    "from_pandas",
    "read_ecsv",
    "read_parquet",
    "read_votable",
    "to_astropy",
    "to_bytes",
    "to_csv",
    "to_ecsv",
    "to_lightkurve",
    "to_parquet",
    "to_picture",
    "to_votable",
]

_DPI = 200


def to_astropy(
    data: pd.DataFrame | LightCurve, *, notes: Mapping[str, object] | None = None
) -> Table:
    """Return a DataFrame or a light curve as an astropy Table with units.

    Missing values are masked, never filled; undefined numbers stay NaN; datetimes are
    ISO 8601 text (UTC). ``meta["provenance"]`` says where the numbers come from.

    Parameters
    ----------
    data
        What a ``table()``, ``variability()`` or ``candidates()`` returned, a light curve, or
        any DataFrame, its units in ``attrs["units"]``.
    notes
        Names and text to add to the provenance, such as an observer or a machine's paths,
        which are never written unasked.

    Raises
    ------
    InvalidInput
        It is no DataFrame, or two of its columns have one name.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import to_astropy
    >>> with cl.demo() as lab:
    ...     table = to_astropy(lab.sources.variability())
    >>> table["ra_deg"].unit
    Unit("deg")
    """
    return table_of(_frame(data), notes)


def to_votable(
    data: pd.DataFrame | LightCurve,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    notes: Mapping[str, object] | None = None,
) -> Path:
    """Write a VOTable 1.4 and return its path.

    The provenance is in INFO elements. A VOTable knows no difference between a number that is
    undefined and one that is missing; `read_votable` makes again what was written. What no text
    file can hold becomes U+FFFD. The rows are BINARY2, which marks what is missing.

    Parameters
    ----------
    data, notes
        See `to_astropy`.
    path
        File to write; it appears only when it is whole.
    overwrite
        Replace a file that is there (never an SQLite database).

    Raises
    ------
    InvalidInput
        A file is there, the path cannot be written to, or the data are no DataFrame.

    Examples
    --------
    >>> import tempfile
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import to_votable
    >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
    ...     to_votable(lab.sources.candidates(), f"{folder}/candidates.vot").name
    'candidates.vot'
    """
    table = to_astropy(data, notes=notes)
    return write_whole(path, lambda stream: write_votable(table, stream), overwrite=overwrite)


def to_ecsv(
    data: pd.DataFrame | LightCurve,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    notes: Mapping[str, object] | None = None,
) -> Path:
    """Write an ECSV file (text with units, as astropy reads it) and return its path.

    Takes and raises what `to_votable` does. Text loses spaces at its ends. astropy reads empty
    text of an ECSV file as missing; `read_ecsv` tells the two apart.

    Examples
    --------
    >>> import tempfile
    >>> from astropy.table import Table
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import to_ecsv
    >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
    ...     table = Table.read(to_ecsv(lab.sources.variability(), f"{folder}/v.ecsv"))
    >>> table.meta["provenance"]["call"]
    'sources.variability'
    """
    table = to_astropy(data, notes=notes)
    return write_whole(path, lambda stream: write_ecsv(table, stream), overwrite=overwrite)


def to_parquet(
    data: pd.DataFrame | LightCurve,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    notes: Mapping[str, object] | None = None,
) -> Path:
    """Write a Parquet file and return its path: units on the fields, provenance in the schema.

    Takes and raises what `to_votable` does. Nothing is lost: NaN and missing stay apart.

    Examples
    --------
    >>> import tempfile
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import read_parquet, to_parquet
    >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
    ...     table = read_parquet(to_parquet(lab.sources.table(), f"{folder}/s.parquet"))
    >>> table.attrs["units"]["ra_deg"]
    'deg (ICRS)'
    """
    import pyarrow.parquet as pq

    table = arrow_of(_frame(data), notes)
    return write_whole(path, lambda stream: pq.write_table(table, stream), overwrite=overwrite)


def to_csv(
    data: pd.DataFrame | LightCurve, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write comma-separated text and return its path: for a spreadsheet.

    Times are ISO 8601 (UTC). Units are only in the columns' names, and there is no provenance:
    `to_ecsv` writes both. Raises what `to_votable` does.

    Examples
    --------
    >>> import tempfile
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import to_csv
    >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
    ...     text = to_csv(lab.sources.table(), f"{folder}/s.csv").read_text()
    >>> text.split(",")[0]
    '"source_id"'
    """
    table = arrow_of(_frame(data), None)
    return write_whole(path, lambda stream: write_csv(table, stream), overwrite=overwrite)


def to_bytes(data: pd.DataFrame | LightCurve, form: str) -> bytes:
    r"""Return what a file would hold.

    Parameters
    ----------
    data
        See `to_astropy`.
    form
        csv, ecsv, parquet or votable.

    Raises
    ------
    InvalidInput
        There is no such form, or the data are no DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> from contimg_lab.services.exports import to_bytes
    >>> to_bytes(pd.DataFrame({"flux_jy": [0.5]}), "csv")
    b'"flux_jy"\n0.5\n'
    """
    stream = io.BytesIO()
    if form == "csv":
        write_csv(arrow_of(_frame(data), None), stream)
    elif form == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(arrow_of(_frame(data), None), stream)
    elif form in ("ecsv", "votable"):
        write = write_ecsv if form == "ecsv" else write_votable
        write(to_astropy(data), stream)
    else:
        raise InvalidInput(f"form {form!r} does not exist; there are csv, ecsv, parquet, votable")
    return stream.getvalue()


def to_picture(figure: Figure, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a matplotlib figure as a PNG or an SVG file, by its suffix, and return the path.

    Raises
    ------
    InvalidInput
        A file is there, or the path cannot be written to.
    """
    form = Path(path).suffix.removeprefix(".").lower()

    def write(stream: BinaryIO) -> None:
        figure.savefig(stream, format=form, dpi=_DPI)

    return write_whole(path, write, overwrite=overwrite)


def read_votable(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a VOTable as a DataFrame; what `to_votable` wrote gets its types and attrs back.

    Raises
    ------
    InvalidInput
        The file cannot be read, or is no VOTable.
    """
    return _read(path, "VOTable", parse_votable)


def read_ecsv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read an ECSV file as a DataFrame; what `to_ecsv` wrote gets its types and attrs back.

    Raises
    ------
    InvalidInput
        The file cannot be read, or is no ECSV.
    """
    return _read(path, "ECSV file", parse_ecsv)


def read_parquet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a Parquet file as a DataFrame; what `to_parquet` wrote gets its attrs back.

    Raises
    ------
    InvalidInput
        The file cannot be read, or is no Parquet file.
    """
    return _read(path, "Parquet file", parse_parquet)


def from_astropy(table: Table, *, source_id: str | None = None) -> LightCurve:
    """Make a light curve of an astropy TimeSeries or Table, of lightkurve's or of our own.

    Rows whose column ``used`` is not true, or whose flux or error cannot count, become its
    ``excluded`` epochs; without a row of ``photometry``, ``row_id`` is -1.

    Parameters
    ----------
    table
        With ``time`` (an astropy Time) or ``mjd`` (d, UTC); ``flux`` and ``flux_err`` in a
        unit of flux density (per beam or not), or ``flux_jy`` and ``flux_err_jy``.
    source_id
        Name of the source; None: what the table's ``meta`` says.

    Raises
    ------
    InvalidInput
        A column is absent, has no unit, or one that is no flux density.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> from contimg_lab.services.exports import from_astropy
    >>> with cl.demo() as lab:
    ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
    >>> bool((from_astropy(lc.to_astropy()).flux_jy == lc.flux_jy).all())
    True
    """
    return light_curve_of(table, source_id)


def from_pandas(frame: pd.DataFrame, *, source_id: str | None = None) -> LightCurve:
    """Make a light curve of a DataFrame such as `LightCurve.to_pandas` or a ``read_*`` returns.

    Takes and raises what `from_astropy` does; units are in ``attrs["units"]``.
    """
    table = table_of(_frame(frame))
    if "provenance" not in frame.attrs:
        del table.meta["provenance"]
    return light_curve_of(table, source_id)


def to_lightkurve(curve: LightCurve) -> Any:
    """Return the epochs that count, and have a time, as a ``lightkurve.LightCurve``.

    Raises
    ------
    AbsentFeature
        lightkurve is not installed (``contimg-lab[lightkurve]``).
    """
    return lightkurve_of(curve)


def _frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    made = data.to_pandas() if hasattr(data, "to_pandas") else data
    if not isinstance(made, pd.DataFrame):
        raise InvalidInput(f"{type(data).__name__} is no DataFrame and no light curve")
    return made


def _read(
    path: str | os.PathLike[str], kind: str, read: Callable[[BinaryIO], pd.DataFrame]
) -> pd.DataFrame:
    target = readable(path)
    try:
        with target.open("rb") as stream:
            return read(stream)
    except ContimgLabError:
        raise
    except Exception as error:  # each parser has a tree of errors of its own
        first = (str(error).splitlines() or [""])[0]
        raise InvalidInput(f"{target} is no {kind} that can be read: {first}") from error
