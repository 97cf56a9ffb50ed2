"""How VOTable, ECSV, Parquet and CSV files are written and read, as streams."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from contimg_lab.services.exports._tables import (
    OURS,
    clean,
    flat,
    frame_of,
    marked,
    provenance,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from astropy.table import Table

__all__ = [
    "arrow_of",
    "parse_ecsv",
    "parse_parquet",
    "parse_votable",
    "write_csv",
    "write_ecsv",
    "write_votable",
]

_TOLD = "provenance_"


def write_votable(table: Table, stream: BinaryIO) -> None:
    """Write a VOTable; the provenance is in INFO elements."""
    from astropy.io import votable
    from astropy.io.votable.tree import Info

    whole = votable.from_table(table)
    resource = whole.resources[0]
    told = table.meta["provenance"]
    said = {_TOLD + re.sub(r"\W", "_", k, flags=re.ASCII): v for k, v in told.items()}
    said[OURS] = json.dumps(table.meta[OURS])
    for name, value in said.items():
        resource.infos.append(Info(name=name, value=clean(value)))
    made = resource.tables[0]
    made.description = clean(told["line"])
    for field in made.fields:
        if table.meta[OURS]["dtypes"].get(field.name, "").startswith("datetime64"):
            field.xtype = "timestamp"
    # with TABLEDATA, astropy 8.0.2 left the process with a segmentation fault soon after
    whole.to_xml(stream, tabledata_format="binary2")


def parse_votable(stream: BinaryIO) -> pd.DataFrame:
    """Read the first table of a VOTable."""
    from astropy.io import votable

    found = votable.parse(stream)
    table = found.get_first_table().to_table(use_names_over_ids=True)
    infos = {str(i.name): str(i.value) for r in found.resources for i in r.infos}
    told = {k.removeprefix(_TOLD): v for k, v in infos.items() if k.startswith(_TOLD)}
    if told:
        table.meta["provenance"] = told
    if OURS in infos:
        table.meta[OURS] = json.loads(infos[OURS])
    return frame_of(table)


def write_csv(table: Any, stream: BinaryIO) -> None:
    """Write an Arrow table as comma-separated text."""
    from pyarrow import csv as pa_csv

    pa_csv.write_csv(table, stream)


def write_ecsv(table: Table, stream: BinaryIO) -> None:
    """Write ECSV with commas between; the provenance is in its header."""
    text = io.StringIO()
    table[:0].write(text, format="ascii.ecsv", delimiter=",")
    # astropy's own writer leaves text bare, and a row that starts with # is read as a comment
    rows = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerows(zip(*(_cells(table[name]) for name in table.colnames), strict=True))
    stream.write(text.getvalue().encode())


def parse_ecsv(stream: BinaryIO) -> pd.DataFrame:
    """Read ECSV."""
    from astropy.table import Table

    return frame_of(Table.read(stream.read().decode("utf-8"), format="ascii.ecsv"))


def arrow_of(made: pd.DataFrame, notes: Mapping[str, object] | None) -> Any:
    """Make an Arrow table: units on the fields, provenance in the schema."""
    import pyarrow as pa

    made, index = flat(made)
    told = provenance(made, notes)
    ours = marked(made, index)
    units, meanings = made.attrs.get("units", {}), made.attrs.get("meanings", {})
    bare = made.copy(deep=False)
    bare.attrs = {}
    for name in bare.columns:
        if bare[name].dtype == object:
            column = bare[name]
            bare[name] = [
                None if out else _utf8(v) for v, out in zip(column, column.isna(), strict=True)
            ]
    table = pa.Table.from_pandas(bare, preserve_index=False)
    fields = [
        field.with_metadata({"unit": units.get(name, ""), "description": meanings.get(name, "")})
        for name, field in zip(table.schema.names, table.schema, strict=True)
    ]
    said = {"provenance": json.dumps(told), OURS: json.dumps(ours)}
    return table.cast(pa.schema(fields, metadata={**(table.schema.metadata or {}), **said}))


def parse_parquet(stream: BinaryIO) -> pd.DataFrame:
    """Read Parquet."""
    import pyarrow.parquet as pq

    table = pq.read_table(stream)
    said = table.schema.metadata or {}
    ours = json.loads(said.get(OURS.encode(), b"{}"))
    made: pd.DataFrame = table.to_pandas()
    for name, dtype in ours.get("dtypes", {}).items():
        if dtype == "object" and name in made:
            values = made[name].astype(object)
            made[name] = values.where(values.notna(), None)
    if ours.get("index"):
        made = made.set_index(ours["index"])
    made.attrs = dict(ours.get("attrs", {}))
    if b"provenance" in said:
        made.attrs["provenance"] = json.loads(said[b"provenance"])
    return made


def _cells(column: Any) -> list[Any]:
    values = np.ma.asarray(column)
    mask = np.ma.getmaskarray(values).tolist()
    return ["" if gone else v for v, gone in zip(values.data.tolist(), mask, strict=True)]


def _utf8(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()
