"""A DataFrame as an astropy Table and back: units, masks, times, provenance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import InvalidInput
from contimg_lab.services._origin import Origin, now_utc, plain

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Column, Table
    from astropy.units import UnitBase

__all__ = ["clean", "flat", "frame_of", "marked", "provenance", "table_of", "unit_of"]

OURS = "contimg_lab"
"""Key of what a reader of ours needs to make the same DataFrame again."""

# what XML 1.0 or a text file's lines cannot hold
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_ISO = "%Y-%m-%dT%H:%M:%S.%f"


def provenance(made: pd.DataFrame, notes: Mapping[str, object] | None) -> dict[str, str]:
    """What a file says of where its numbers come from, with the time of export and a line."""
    from contimg_lab import __version__

    told = made.attrs.get("provenance")
    known = dict(told) if isinstance(told, Mapping) else {"version": __version__}
    if notes is not None and not isinstance(notes, Mapping):
        raise InvalidInput(f"notes {notes!r} are no mapping of names to text")
    known |= {str(name): value for name, value in (notes or {}).items()}
    when = now_utc()
    origin = Origin.from_mapping(known)
    extra = {"exported_at": when, "line": origin.line(when)}
    return {k: str(v) for k, v in (origin.told() | known | extra).items()}


def flat(made: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Make columns of named index levels; return their names too."""
    if not hasattr(made, "reset_index") or not hasattr(made, "columns"):
        raise InvalidInput(f"{type(made).__name__} is no DataFrame and no light curve")
    named = [str(name) for name in made.index.names if name is not None]
    names = [*named, *(str(name) for name in made.columns)]
    if made.columns.nlevels > 1 or len(set(names)) < len(names):
        raise InvalidInput("the DataFrame has two columns of one name; rename one of them")
    if not names:
        raise InvalidInput("the DataFrame has no columns")
    attrs = made.attrs
    out = made.reset_index() if named else made.reset_index(drop=True)
    out = out[[c for c in out.columns if c in made.columns or str(c) in named]]
    out.columns = [str(name) for name in out.columns]
    out.attrs = attrs
    return out, named


def marked(made: pd.DataFrame, index: list[str]) -> dict[str, Any]:
    """What our readers need to make the same DataFrame again."""
    # neither format tells empty text from none, so the rows of the former are told
    empty: dict[str, Any] = {}
    for name in made.columns:
        column = made[name]
        blank = (column == "").fillna(False).to_numpy(bool) if _is_text(column) else np.zeros(0)
        if blank.any():
            empty[name] = np.flatnonzero(blank).tolist() if column.isna().any() else True
    return {
        "index": index,
        "dtypes": {name: str(dtype) for name, dtype in made.dtypes.items()},
        "empty_text": empty,
        "attrs": plain({k: v for k, v in made.attrs.items() if k != "provenance"}),
    }


def unit_of(text: str | None) -> UnitBase | None:
    """The astropy unit of our text: ``deg (ICRS)`` is deg; None where there is no one unit."""
    from astropy import units

    if not text or text == "UTC":
        return None
    try:
        return units.Unit(re.sub(r"\s*\(.*\)$", "", text))
    except ValueError:
        return None


def table_of(made: pd.DataFrame, notes: Mapping[str, object] | None = None) -> Table:
    """Make an astropy Table: missing values masked, datetimes as ISO 8601 text (UTC)."""
    from astropy.table import Table

    made, index = flat(made)
    told = provenance(made, notes)
    table = Table()
    units, meanings = made.attrs.get("units", {}), made.attrs.get("meanings", {})
    for name in made.columns:
        table[name] = _column(made[name])
        text = units.get(name, "")
        unit = unit_of(text)
        if unit is not None:
            table[name].unit = unit
        # what the unit alone does not say: the time scale, the frame, the choice
        more = text if text and (unit is None or "(" in text) else ""
        if meanings.get(name) or more:
            table[name].description = "; ".join(x for x in (meanings.get(name), more) if x)
    table.meta["provenance"] = told
    table.meta[OURS] = marked(made, index)
    return table


def frame_of(table: Table) -> pd.DataFrame:
    """Make a DataFrame of a Table: what `table_of` made becomes what it was."""
    import pandas as pd

    ours = table.meta.get(OURS)
    ours = ours if isinstance(ours, Mapping) else {}
    dtypes, empty = ours.get("dtypes", {}), ours.get("empty_text", {})
    data = {
        name: _series(table[name], dtypes.get(name), empty.get(name, False))
        for name in table.colnames
    }
    made = pd.DataFrame(data)
    index = [name for name in ours.get("index", ()) if name in made]
    if index:
        made = made.set_index(index)
    made.attrs = dict(ours.get("attrs", {}))
    if not ours:
        made.attrs["units"] = {n: str(table[n].unit) for n in table.colnames if table[n].unit}
    told = table.meta.get("provenance")
    if isinstance(told, Mapping):
        made.attrs["provenance"] = {str(k): str(v) for k, v in told.items()}
    return made


def clean(text: object) -> str:
    """Text of any value, with what no text file can hold replaced by U+FFFD."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return _UNWRITABLE.sub("\ufffd", str(text))


def _is_text(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_string_dtype(column.dtype) or column.dtype == object)


def _column(column: pd.Series[Any]) -> Column:
    import pandas as pd
    from astropy.table import Column, MaskedColumn

    kinds = pd.api.types
    if column.dtype == object:
        column = _narrowed(column)
    mask = column.isna().to_numpy(bool)
    if kinds.is_datetime64_any_dtype(column.dtype):
        aware = getattr(column.dt, "tz", None) is not None
        when = column.dt.tz_convert("UTC") if aware else column
        texts = when.dt.strftime(_ISO + ("Z" if aware else "")).to_numpy(object)
        values = np.where(mask, "", texts).astype(str)
    elif kinds.is_bool_dtype(column.dtype):
        values = column.to_numpy(bool, na_value=False)
    elif kinds.is_integer_dtype(column.dtype):
        values = column.to_numpy(np.int64, na_value=0)
    elif kinds.is_float_dtype(column.dtype):
        if isinstance(column.dtype, np.dtype):
            return Column(column.to_numpy(float))  # undefined is NaN: no value is missing
        values = column.to_numpy(float, na_value=np.nan)
    else:
        values = np.array(
            ["" if out else clean(v) for v, out in zip(column, mask, strict=True)], str
        )
    return MaskedColumn(values, mask=mask) if mask.any() else Column(values)


def _narrowed(column: Any) -> Any:
    """A column of objects that are all flags or all numbers, as what they are."""
    import pandas as pd

    kinds = {"boolean": "boolean", "integer": "Int64", "floating": "float64"}
    kind = kinds.get(pd.api.types.infer_dtype(column, skipna=True))
    if kind is None:
        return column
    try:
        return column.astype(kind)
    except (OverflowError, TypeError, ValueError):
        return column


def _series(column: Column, dtype: str | None, empty: bool | list[int]) -> Any:
    import pandas as pd

    values = np.asarray(getattr(column, "data", column))
    mask = np.array(np.broadcast_to(np.ma.getmaskarray(np.ma.asarray(column)), values.shape))
    if values.dtype.kind in "USO":
        texts = [clean(v) for v in values]
        kept = np.full(len(texts), empty is True)
        if not isinstance(empty, bool):
            kept[[row for row in empty if row < len(texts)]] = True
        found = [
            None if (m or not t) and not k else "" if m else t
            for m, t, k in zip(mask, texts, kept, strict=True)
        ]
        if dtype is not None and dtype.startswith("datetime64"):
            aware = dtype.endswith("UTC]")
            when = pd.Series(found, dtype=object)
            made: Any = pd.to_datetime(when, format="ISO8601", errors="coerce", utc=aware)
            return made.astype(dtype)
        # plain text is "str" from pandas 3 on
        usual = pd.Series([""]).dtype
        return pd.Series(found, dtype=dtype if dtype in ("string", "object") else usual)
    if dtype in ("Float64", "Int64", "boolean"):
        return _nullable(values, mask, dtype)
    if values.dtype.kind == "f":
        return pd.Series(np.where(mask, np.nan, values))
    if mask.any():  # a plain column that lost values on its way
        return _nullable(values, mask, "boolean" if values.dtype.kind == "b" else "Int64")
    return pd.Series(values)


def _nullable(values: np.ndarray, mask: np.ndarray, dtype: str) -> Any:
    import pandas as pd

    made: Any = pd.Series(values).astype(dtype)  # type: ignore[call-overload]
    made[mask] = pd.NA
    return made
