"""Calibration tables: the registry's ``caltables``, and what was really applied."""

from __future__ import annotations

from collections.abc import Sequence

from contimg_lab.records.caltables import AppliedCalTable, CalTable
from contimg_lab.repositories._base import Repository

__all__ = ["AppliedRepository", "CalTablesRepository"]


class CalTablesRepository(Repository[CalTable]):
    """``caltables`` as records, in order of id; the key is the path."""

    table = "caltables"
    noun = "cal table"
    record = CalTable
    key = "path"
    order = "id"


class AppliedRepository(Repository[AppliedCalTable]):
    """``calibration_applied`` as records, in order of id."""

    table = "calibration_applied"
    noun = "applied cal table"
    record = AppliedCalTable
    key = "id"
    order = "id"

    async def of(self, ms_paths: Sequence[str]) -> dict[str, tuple[AppliedCalTable, ...]]:
        """Return what was applied to each MS; empty where this site does not record it."""
        if await self.database.find_table(self.table) is None:
            return {}
        found: dict[str, list[AppliedCalTable]] = {}
        for row in await self.list(limit=None, ms_path=list(ms_paths)):
            found.setdefault(str(row.ms_path), []).append(row)
        return {path: tuple(rows) for path, rows in found.items()}
