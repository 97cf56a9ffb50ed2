"""Jobs: the ``jobs`` table, and the error texts that other tables keep for an MS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contimg_lab.records._fields import cast
from contimg_lab.records.jobs import JobStep
from contimg_lab.repositories._base import Repository, json_list, number
from contimg_lab.times import unix_from_value

__all__ = ["ERROR_TEXTS", "ErrorText", "JobsRepository"]

ERROR_TEXTS = (
    ("batch_job_items", "error", ("status", "failed"), "job_id", "completed_at"),
    ("calibration_applied", "error_message", ("success", 0), "job_id", "applied_at"),
    ("ms_state", "error_message", None, "job_id", "updated_at"),
    ("dead_letter_queue", "reason", None, "job_id", "created_at"),
)
"""Table; its column of the error's text; where it is one; columns of job and time, if held."""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What one row says went wrong with an MS.

    ``source`` is its table and column, ``job_id`` the job it names and ``at`` its time (Unix
    seconds), where it has them.
    """

    source: str
    text: str
    job_id: int | None
    at: float | None


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

    async def paths_beyond_index(self) -> list[str]:
        """Return the MS paths that jobs name and ``ms_index`` has not, as SQLite compares them."""
        jobs = await self.database.find_table(self.table)
        if jobs is None or not jobs.has("ms_path"):
            return []
        rows = await self.database.fetch(
            self.table,
            f"SELECT ms_path FROM (SELECT DISTINCT ms_path FROM {self.table}) "
            "WHERE ms_path NOT IN (SELECT path FROM ms_index WHERE path IS NOT NULL)",
        )
        return [cast(row[0], str) for row in rows]

    async def error_texts(self, ms_paths: Sequence[str]) -> dict[str, list[ErrorText]]:
        """Return what other tables say went wrong with each MS, in the order it was written."""
        found: dict[str, list[ErrorText]] = {}
        wanted = json_list(ms_paths)
        for name, text, when, job, at in ERROR_TEXTS:
            table = await self.database.find_table(name)
            if table is None or table.absent(["ms_path", text]):
                continue
            job_sql = job if table.has(job) else "NULL"
            at_sql = number(at) if table.has(at) else "NULL"
            clauses, values = [f"{text} IS NOT NULL", f"{text} <> ''"], list[object]()
            if when is not None and table.has(when[0]):
                clauses.append(f"{when[0]} = ?")
                values.append(when[1])
            order = "id" if table.has("id") else at if table.has(at) else text
            rows = await self.database.fetch(
                name,
                f"SELECT ms_path, {text}, {job_sql}, {at_sql} FROM {name} "
                f"WHERE {' AND '.join(clauses)} "
                f"AND ms_path IN (SELECT value FROM json_each(?)) ORDER BY {order}",
                [*values, wanted],
            )
            for ms_path, words, job_id, moment in rows:
                found.setdefault(cast(ms_path, str), []).append(
                    ErrorText(
                        f"{name}.{text}",
                        cast(words, str),
                        job_id if isinstance(job_id, int) else None,
                        unix_from_value(moment),
                    )
                )
        return found
