"""Benchmarks: every path beside its alternatives, in the same run, as one table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from contimg_lab.bench import _builds, _works, _works_writing
from contimg_lab.bench._lines import Line, with_growth
from contimg_lab.bench._report import Report, report
from contimg_lab.bench._settings import Settings
from contimg_lab.bench._site import Site, look_at
from contimg_lab.bench._table import brief
from contimg_lab.errors import InvalidInput

__all__ = ["WORKS", "Line", "Report", "Settings", "run"]

_ON_EACH: Mapping[str, Callable[[Site, Settings], Iterator[Line]]] = {
    "light-curves": _works.light_curves,
    "scan": _works.scan,
    "statistics": _works.statistics,
}
_WRITING: Mapping[str, Callable[[Site, Settings], Iterator[Line]]] = {
    "writer": _works_writing.writer,
    "update": _works_writing.update,
}
_ALONE: Mapping[str, Callable[[Settings], Iterator[Line]]] = {
    "jobs": _works.jobs,
    "log": _works.log_tail,
}

WORKS = (*_ON_EACH, *_WRITING, *_ALONE)
"""Names of all works, in the order in which they are measured."""

_OWN_WORKS = (*_ON_EACH, "jobs")


def run(settings: Settings, *, say: Callable[[str], None] = lambda _: None) -> Report:
    """Measure, each way in a process of its own.

    A database of the user's own (`Settings.db`) is only read: works with a writer, and those
    that need files of their own, are left out.

    Parameters
    ----------
    settings
        What, on what, for how long.
    say
        Called with a line of text whenever something was measured.

    Raises
    ------
    InvalidInput
        There is no such work, or none of those asked for can be measured on this database.
    """
    works = [work for work in WORKS if work in (settings.only or WORKS)]
    unknown = set(settings.only) - set(WORKS)
    if unknown:
        raise InvalidInput(f"no work {', '.join(sorted(unknown))}; there are {', '.join(WORKS)}")
    if settings.db is not None:
        works = [work for work in works if work in _OWN_WORKS]
        if not works:
            raise InvalidInput(
                f"only {', '.join(settings.only)} was asked for, which a database of your own "
                f"is not used for; leave --db out, or ask for {', '.join(_OWN_WORKS)}"
            )
    begun = datetime.now(UTC)
    lines: list[Line] = []
    for each in _lines(works, settings, say):
        say(brief(each))
        lines.append(each)
    return report(with_growth(lines), settings, begun)


def _lines(works: list[str], settings: Settings, say: Callable[[str], None]) -> Iterator[Line]:
    wanted = [work for work in works if work in _ON_EACH or work in _WRITING]
    with tempfile.TemporaryDirectory(prefix="contimg_lab-bench-") as aside:
        for folder in _folders(settings, say) if wanted else ():
            at = look_at(folder, Path(aside))
            for work in wanted:
                yield from (_ON_EACH | _WRITING)[work](at, settings)  # type: ignore[operator]
    for work in works:
        if work in _ALONE:
            yield from _ALONE[work](settings)


def _folders(settings: Settings, say: Callable[[str], None]) -> Iterator[Path]:
    if settings.db is not None:
        yield settings.db
        return
    for n_rows in sorted(settings.rows):
        say(f"{n_rows:,} rows of photometry, made on first use in {settings.cache}")
        yield _builds.season(n_rows, settings.cache)
