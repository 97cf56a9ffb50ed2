"""Jobs: the ``jobs`` table, and the error texts that other tables keep for an MS."""

from __future__ import annotations

import json
from collections.abc import Sequence

from contimg_lab.records.jobs import JobStep
from contimg_lab.repositories._base import Repository

__all__ = ["JobsRepository"]

_TEXTS = (
    ("batch_job_items", "ms_path", "error", "status = 'failed'"),
    ("calibration_applied", "ms_path", "error_message", "success = 0"),
    ("ms_state", "ms_path", "error_message", "1"),
    ("dead_letter_queue", "ms_path", "reason", "1"),
)
"""Table, its column of the MS, its column of the error's text, and when the text is one."""


class JobsRepository(Repository[JobStep]):
    """``jobs`` as records, in order of id (attempts in the order they were queued)."""

    table = "jobs"
    noun = "job row"
    record = JobStep
    key = "id"
    order = "id"

    async def exists(self) -> bool:
        """Whether this site keeps a jobs table at all."""
        return await self.database.find_table(self.table) is not None

    async def error_texts(self, ms_paths: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Return what other tables say went wrong: for each MS (table and column, text), in id order."""
        found: dict[str, list[tuple[str, str]]] = {}
        wanted = json.dumps(list(ms_paths))
        for name, path, text, when in _TEXTS:
            table = await self.database.find_table(name)
            if table is None or table.absent([path, text]):
                continue
            rows = await self.database.fetch(
                name,
                f"SELECT {path}, {text} FROM {name} WHERE {text} IS NOT NULL AND {text} <> '' "
                f"AND {when} AND {path} IN (SELECT value FROM json_each(?)) ORDER BY rowid",
                (wanted,),
            )
            for ms_path, words in rows:
                found.setdefault(str(ms_path), []).append((f"{name}.{text}", str(words)))
        return found
