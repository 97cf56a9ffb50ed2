"""What a database file really has: tables, columns and indexes, as values.

Names are compared the way SQLite compares them: without regard to ASCII case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["COLUMNS_SQL", "INDEXES_SQL", "Index", "Schema", "Table"]

COLUMNS_SQL = """
SELECT m.name, p.name
FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
WHERE m.type IN ('table', 'view') ORDER BY m.name, p.cid
"""

INDEXES_SQL = """
SELECT m.name, i.name, k.name
FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS k
WHERE m.type = 'table' ORDER BY m.name, i.seq, k.seqno
"""


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its name and its columns in order."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table or view: its columns in order and its indexes."""

    name: str
    columns: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    def has(self, column: str) -> bool:
        """Whether the table has this column."""
        return column.lower() in {name.lower() for name in self.columns}

    def absent(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Those of the wanted columns that the table lacks, in the order given."""
        held = {name.lower() for name in self.columns}
        return tuple(name for name in wanted if name.lower() not in held)

    def indexed(self, column: str) -> bool:
        """Whether an index begins with this column."""
        return any(i.columns and i.columns[0].lower() == column.lower() for i in self.indexes)


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything that one file has; ``version`` is SQLite's own ``schema_version``."""

    version: int = 0
    tables: Mapping[str, Table] = field(default_factory=dict)

    def table(self, name: str) -> Table | None:
        """Look a table up by name; None where the file has none of that name."""
        return self.tables.get(name.lower())

    @classmethod
    def build(
        cls,
        version: int,
        columns: Iterable[tuple[object, ...]],
        indexes: Iterable[tuple[object, ...]],
    ) -> Schema:
        """Make a schema of the rows that `COLUMNS_SQL` and `INDEXES_SQL` give."""
        names: dict[str, list[str]] = {}
        for table, column in columns:
            names.setdefault(str(table), []).append(str(column))
        keys: dict[str, dict[str, list[str]]] = {}
        for table, index, column in indexes:
            # an index on an expression has no column name there
            keys.setdefault(str(table), {}).setdefault(str(index), []).append(str(column or ""))
        tables = {
            name.lower(): Table(
                name,
                tuple(held),
                tuple(Index(i, tuple(c)) for i, c in keys.get(name, {}).items()),
            )
            for name, held in names.items()
        }
        return cls(version, tables)
