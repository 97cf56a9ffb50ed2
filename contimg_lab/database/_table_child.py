"""What the child process of a plain scan does: columns of one table into a mapped file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from contimg_lab.database._child import Cells, Codes, Out, Snapshot, floats, whole

__all__ = ["WORK", "read"]

WORK = "contimg_lab.database._table_child:read"
"""What `contimg_lab.database.Database.scan` is asked to run."""

_DTYPES = {"f": "<f8", "t": "<i4", "i": "<i8"}


def read(request: Mapping[str, Any], out: Out) -> None:
    """Read columns of one table, in order of rowid.

    Parameters
    ----------
    request
        ``uri``, ``timeout_s``; ``table``; ``columns``: for each its name, the SQL of its
        value, and its kind: ``f`` a float (NaN for none), ``t`` text (a code, -1 for none,
        with the texts in ``told["texts"]``), ``i`` a whole number; ``told``: handed on.
    out
        Where to.
    """
    snapshot = Snapshot(request["uri"], links=2, timeout_s=request["timeout_s"])
    out.say(began=True)
    columns = request["columns"]
    kinds = "".join(kind for _, _, kind in columns)
    codes = [Codes() for _ in columns]

    def keep(batch: Cells) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = []
        for at, kind in enumerate(kinds):
            cells = batch.column(at)
            if kind == "f":
                found.append(floats(cells))
            else:
                found.append(codes[at].of(cells) if kind == "t" else whole(cells))
        return found

    select = ", ".join(sql for _, sql, _ in columns)
    parts = snapshot.scan(request["table"], select, "1", kinds, keep, out)
    snapshot.close()
    for at, (name, _, kind) in enumerate(columns):
        out.column(name, [part[at] for part in parts], _DTYPES[kind])
    texts = {name: codes[at].texts() for at, (name, _, kind) in enumerate(columns) if kind == "t"}
    out.finish(texts=texts, **request["told"])
