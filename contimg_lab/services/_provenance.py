"""What one run links together: MS, cal tables, pointing, images and log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from contimg_lab.analysis.runs import stage_grade
from contimg_lab.records.jobs import Provenance
from contimg_lab.services._context import Context
from contimg_lab.services._coverage import primary_cals
from contimg_lab.services._directory import Entry
from contimg_lab.services._logs import LogRoots, default_log_folders, find_run_logs
from contimg_lab.services._pointings import read_pointings

__all__ = ["log_roots", "provenance", "provenances"]


def log_roots(context: Context) -> LogRoots:
    """Folders in which log files may be opened."""
    folders = context.config.log_roots
    if folders is None:
        files = context.database.layout.files.values()
        folders = default_log_folders(files, context.config.state_dir)
    return LogRoots.of(folders)


async def provenance(context: Context, entry: Entry) -> Provenance:
    """Gather what the run of one MS links."""
    return (await provenances(context, [entry]))[0]


async def provenances(context: Context, entries: Sequence[Entry]) -> list[Provenance]:
    """Gather what the run of each MS links: a query a table for all of them."""
    if not entries:
        return []
    ids = [entry.run_id for entry in entries]
    primaries, pointings, images, logs = await asyncio.gather(
        primary_cals(context, entries),
        read_pointings(context, entries),
        _image_paths(context, entries),
        asyncio.to_thread(find_run_logs, ids, log_roots(context)),
    )
    return [
        Provenance(
            run_id=entry.run_id,
            ms_path=entry.ms.path,
            applied_paths=primary.applied_paths,
            cal_table=primary.caltable_path,
            cal_state=primary.state,
            cal_distance_hours=primary.distance_hours,
            pointing_ra_deg=pointing.ra_deg,
            pointing_dec_deg=pointing.dec_deg,
            image_paths=tuple(images.get(entry.ms.path, ())),
            stage_grade=stage_grade(entry.ms.stage),
            log_file=str(logs[entry.run_id]) if entry.run_id in logs else None,
            created_at=entry.ms.created_at,
        )
        for entry, primary, pointing in zip(entries, primaries, pointings, strict=True)
    ]


async def _image_paths(context: Context, entries: Sequence[Entry]) -> dict[str, list[str]]:
    if await context.database.find_table("images") is None:
        return {}
    wanted = [entry.ms.path for entry in entries]
    held = await context.images.columns("path", "ms_path", ms_path=wanted)
    found: dict[str, list[str]] = {}
    for path, ms_path in zip(held["path"], held["ms_path"], strict=True):
        if path is not None:
            found.setdefault(ms_path, []).append(path)
    return found
