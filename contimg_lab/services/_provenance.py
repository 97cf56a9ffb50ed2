"""What one run links together: MS, cal tables, pointing, images and log."""

from __future__ import annotations

import asyncio

from contimg_lab.analysis.runs import stage_grade
from contimg_lab.records.jobs import Provenance
from contimg_lab.services._context import Context
from contimg_lab.services._coverage import primary_cal
from contimg_lab.services._directory import Entry
from contimg_lab.services._logs import LogRoots, default_log_folders, find_run_log
from contimg_lab.services._pointings import read_pointings

__all__ = ["log_roots", "provenance"]


def log_roots(context: Context) -> LogRoots:
    """Folders in which log files may be opened."""
    folders = context.config.log_roots
    if folders is None:
        files = context.database.layout.files.values()
        folders = default_log_folders(files, context.config.state_dir)
    return LogRoots.of(folders)


async def provenance(context: Context, entry: Entry) -> Provenance:
    """Gather what the run of one MS links."""
    primary = await primary_cal(context, entry)
    pointing = (await read_pointings(context, [entry]))[0]
    images: tuple[str, ...] = ()
    if await context.database.find_table("images") is not None:
        rows = await context.images.list(limit=None, ms_path=entry.ms.path)
        images = tuple(row.path for row in rows if row.path is not None)
    log = await asyncio.to_thread(find_run_log, entry.run_id, log_roots(context))
    return Provenance(
        run_id=entry.run_id,
        ms_path=entry.ms.path,
        applied_paths=primary.applied_paths,
        cal_table=primary.caltable_path,
        cal_state=primary.state,
        cal_distance_hours=primary.distance_hours,
        pointing_ra_deg=pointing.ra_deg,
        pointing_dec_deg=pointing.dec_deg,
        image_paths=images,
        stage_grade=stage_grade(entry.ms.stage),
        log_file=None if log is None else str(log),
        created_at=entry.ms.created_at,
    )
