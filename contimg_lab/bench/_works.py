"""Works that only read: which ways are measured beside each other, and on what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from contimg_lab.bench import _builds, _jobs, _light_curves, _log, _scan
from contimg_lab.bench._lines import Line, line, with_ratios
from contimg_lab.bench._process import call
from contimg_lab.bench._settings import Settings
from contimg_lab.bench._site import Site, agreed, installed, noted, shown, tell, uri
from contimg_lab.database import files

__all__ = ["jobs", "light_curves", "log_tail", "scan", "statistics"]

_AS_LOOP = "times as fast as the Python loop; memory over the columns"


def light_curves(at: Site, settings: Settings) -> Iterator[Line]:
    """Light curves as JSON bytes, 64 callers, nobody writing."""
    ways = installed(_light_curves.WAYS, settings)
    ways.pop("ours, store on")  # that is for a file that changes
    told = {
        way: tell(
            "_light_curves:measure",
            way=way,
            database=uri(at.file),
            folder=str(at.folder),
            names=str(at.names),
            checked=at.checked,
            seconds=settings.seconds,
            callers=settings.callers,
        )
        for way in ways
    }
    changed = files.stamp(at.file) != at.stamp
    yield from agreed("light curves", at.n_rows, told, "digest", changed=changed)


def scan(at: Site, settings: Settings) -> Iterator[Line]:
    """Six columns of all rows as a DataFrame."""
    told = {
        way: tell("_scan:measure", way=way, database=uri(at.file), folder=str(at.folder))
        for way in installed(_scan.WAYS, settings)
    }
    for found in told.values():  # sums differ in their last digits with the order of the rows
        if "sums" in found:
            found["sums"] = [found["n_rows"], *(f"{value:.9g}" for value in found["sums"])]
    changed = files.stamp(at.file) != at.stamp
    yield from agreed("scan", at.n_rows, told, "sums", memory=True, changed=changed)


def statistics(at: Site, settings: Settings) -> Iterator[Line]:
    """Every moment statistic of all sources, from columns in memory."""
    n_sources = max(1, at.n_rows // _builds.EPOCHS)
    told = tell("_statistics:rows", n_sources=n_sources, n_epochs=_builds.EPOCHS)
    if isinstance(told, dict):
        yield shown("statistics", "all", at.n_rows, told)
        return
    lines = [
        line(f"statistics: {_short(found['work'])}", found["way"], at.n_rows, found, _AS_LOOP)
        for found in told
    ]
    loop = next(each for each in lines if each.way.startswith("Python loop"))
    yield from with_ratios((each for each in lines if each.work == loop.work), loop.way)
    yield from (
        dataclasses.replace(each, ratio=None, note="") for each in lines if each.work != loop.work
    )


def jobs(settings: Settings) -> Iterator[Line]:
    """A list of runs with status and provenance."""
    folder = settings.db or _builds.jobs_season(settings.n_ms, settings.cache)
    file = _builds.photometry_file(folder)  # the main file, in every layout
    stamp = files.stamp(file)
    told = {
        way: tell(
            f"_jobs:{measure}",
            database=uri(file),
            folder=str(folder),
            n_listed=settings.n_listed,
            seconds=settings.seconds,
        )
        for way, measure in _jobs.WAYS.items()
    }
    n_ms = told["older"].get("n_ms", settings.n_ms)
    # in a site's own file rows may be damaged, of which the older design knows nothing
    changed = settings.db is not None or files.stamp(file) != stamp
    for each in agreed(f"{settings.n_listed:,} jobs", n_ms, told, "answer", changed=changed):
        first = told[each.way].get("first_ms")
        yield each if first is None else noted(each, f"the first time {first:.0f} ms")


def log_tail(settings: Settings) -> Iterator[Line]:
    """The last 100 lines of a very large log."""
    season = _builds.plain_season(settings.cache)
    with _builds.private_folder(settings.cache) as private:
        run_id = call("_log:choose_run", season=str(season))
        folder = private / "season"
        log = call(
            "_log:make_log",
            season=str(season),
            folder=str(folder),
            run_id=run_id,
            n_bytes=settings.log_bytes,
        )
        told = {
            way: tell(
                f"_log:{measure}",
                folder=str(folder),
                run_id=run_id,
                log=log,
                seconds=settings.seconds,
            )
            for way, measure in _log.WAYS.items()
        }
    yield from agreed("log tail", settings.log_bytes, told, "answer", memory=True)


def _short(work: str) -> str:
    """Name of a work without the size of its field, which is that of the database."""
    return work.partition(" of ")[0] if work.startswith("moment") else work
