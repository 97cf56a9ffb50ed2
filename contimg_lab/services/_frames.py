"""How a table() becomes a DataFrame: units, aware datetimes, nullable types, absences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import numpy as np

from contimg_lab.records._fields import kinds, meanings, units
from contimg_lab.times import unix_from_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_datetimes", "frame", "record_frame", "unix_to_datetime"]


def record_frame(record: type, rows: Sequence[object], absent: Iterable[str] = ()) -> pd.DataFrame:
    """Make a DataFrame of records: one column a field, with units and meanings in ``attrs``.

    Numbers are nullable (``Float64``, ``Int64``), so a missing value is ``<NA>`` and an infinity
    stays what it is; ``attrs["absent"]`` names the columns this file lacks.
    """
    names = [f.name for f in fields(record) if f.name != "damaged"]
    data = {name: [getattr(row, name) for row in rows] for name in names}
    hints = get_type_hints(record)
    # a column of times stays one where none of them is known
    times = {name: datetime for name in names if datetime in (hints[name], *get_args(hints[name]))}
    return frame(
        data, kinds(record) | times, units=units(record), meanings=meanings(record), absent=absent
    )


def frame(
    data: Mapping[str, Any],
    kind: Mapping[str, type],
    *,
    units: Mapping[str, str],
    meanings: Mapping[str, str] | None = None,
    absent: Iterable[str] = (),
) -> pd.DataFrame:
    """Make a DataFrame, nullable columns of the kinds told (float, int, str, datetime)."""
    import pandas as pd

    types = {float: "Float64", int: "Int64", str: "string", datetime: "datetime64[us, UTC]"}
    columns = {
        name: pd.array(list(values), dtype=types[kind[name]])  # type: ignore[call-overload]
        if kind.get(name) in types
        else values
        for name, values in data.items()
    }
    made = pd.DataFrame(columns)
    made.attrs["units"] = {name: unit for name, unit in units.items() if name in made}
    made.attrs["meanings"] = {k: v for k, v in (meanings or {}).items() if k in made}
    made.attrs["absent"] = tuple(absent)
    return made


def unix_to_datetime(values: Iterable[object]) -> pd.Series[Any]:
    """Aware UTC datetimes of a time column; NaT where it holds no time."""
    import pandas as pd

    seconds = [unix_from_value(None if v is pd.NA else v) for v in values]
    when = pd.to_datetime(pd.Series(np.array(seconds, float)), unit="s", utc=True, errors="coerce")
    # below a microsecond a double of Unix seconds holds nothing but noise
    return when.dt.as_unit("us")


def add_datetimes(made: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Add an aware UTC datetime column beside each MJD or Unix column (new name: old name)."""
    for new, old in names.items():
        made.insert(list(made.columns).index(old) + 1, new, unix_to_datetime(made[old]))
        made.attrs["units"][new] = "UTC"
    return made
