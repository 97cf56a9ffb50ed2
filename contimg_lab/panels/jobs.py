"""Jobs: the runs of a night, failures first; a chosen one shows its log and what it links."""

from __future__ import annotations

import asyncio
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import (
    ANY,
    LAST_NIGHT,
    Choice,
    TextFilter,
    night_of,
    night_options,
)
from contimg_lab.panels._table import Column, Table, Written, numbers
from contimg_lab.panels._words import (
    clip,
    count_words,
    duration,
    error_html,
    escape,
    facts,
    short_ms,
    utc,
)
from contimg_lab.times import datetime_from_unix, unix_from_value

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.records.jobs import LogTail, Provenance, Run


__all__ = ["JobsPanel"]

_STATUSES = ("failed", "running", "pending", "completed")
_RANK = {"failed": 0, "running": 1, "pending": 2, "completed": 4}
_SORTS = (
    ("failed first", "status"),
    ("latest first", "latest"),
    ("longest first", "duration_s"),
    ("most tries first", "attempts"),
)
_BAD_LINE = re.compile(r"error|critical|exception|traceback|killed|fatal", re.IGNORECASE)
_LOG_LINES = 200
_HINT = "<span class='contimg-quiet'>Choose a run to see its log and what it links.</span>"


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    text: str | None
    every: Sequence[Run]
    runs: Sequence[Run]
    frame_of: Callable[[Sequence[Run]], pd.DataFrame]
    timed: bool


class JobsPanel(Panel):
    """Runs of a night.

    Parameters
    ----------
    lab
        An open Lab.
    night, status, sort, text
        First values of the filters: a UTC date, ``last`` or ``all``; a status; status,
        latest, duration_s or attempts; a text.
    start
        Read at once.
    """

    title = "Jobs"
    by_night = True
    by_frames = False  # the first panel that people open: its rows do not wait for pandas
    selects = "ms_path"
    shows = ("job", "status")
    renames = True

    def __init__(
        self,
        lab: Any,
        *,
        night: str = LAST_NIGHT,
        status: str = ANY,
        sort: str = "status",
        text: str = "",
        start: bool = True,
    ) -> None:
        self._first = (str(night), status, sort, text)
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        night, status, sort, text = self._first
        self._night = Choice("Night", night_options(()), night, self._on_filter)
        self._status_filter = Choice("Status", _status_options(()), status, self._on_filter, 130)
        self._sort = Choice("Sort", _SORTS, sort, self._on_sort, 150)
        self._text = TextFilter("MS, cause, message", text, 150)
        self._table = Table("runs", 250, self._choose)
        self._log_name = widgets.HTML(_HINT)
        self._log = widgets.HTML(layout={"flex": "0 0 auto", "margin": "0 0 auto 0"})
        self._links = widgets.HTML()
        for part in (self._log_name, self._log, self._links):
            part.add_class("contimg-detail")
        still = {"height": "280px", "overflow": "auto", "min_width": "0"}
        end_first = {"flex_flow": "column-reverse nowrap", "overflow": "auto", "flex": "1 1 0"}
        log_box = widgets.Box([self._log], layout=end_first)  # opens at the last line
        boxes = [
            widgets.VBox([self._log_name, log_box], layout=still | {"flex": "3 1 380px"}),
            widgets.Box([self._links], layout=still | {"flex": "2 1 260px"}),
        ]
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._status_filter.widget, self._status_filter.changed)
        self._watch(self._sort.widget, self._sort.changed)
        self._watch(self._text.widget, self._on_filter)
        self._watch(*self._table.watched)
        detail = widgets.Box(boxes, layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"})
        chosen = (self._night, self._status_filter, self._sort, self._text)
        filters = [control.widget for control in chosen]
        return filters, [self._table.widget, detail]

    def _on_sort(self, change: Any) -> None:
        self._table.sort(None)  # the newer wish holds
        self.refresh()

    async def _fetch(self) -> _Page:
        text = await self._text.read()
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        jobs = self._lab.jobs
        every = await jobs.list_jobs(night=night, limit=None)
        found = every if text is None else await jobs.list_jobs(night=night, text=text, limit=None)
        frame_of = await jobs.frame_maker(night=night, text=text)
        absent = (await self._lab.absent()).get("jobs", ())
        timed = not {"started_at", "finished_at"} & set(absent)
        return _Page(nights, night, text, every, found, frame_of, timed)

    def _show(self, value: _Page) -> str:
        words = [run.status for run in value.every]
        self._night.offer(night_options(value.nights))
        self._status_filter.offer(_status_options(words))
        wanted = self._status_filter.value
        runs = [run for run in value.runs if wanted in (ANY, run.status)]
        runs = _sorted(runs, self._sort.value)
        self._make_frame = functools.partial(value.frame_of, runs)
        self._asked = (
            "jobs",
            {"night": value.night, "status": wanted or None, "text": value.text}
            | {"sort": self._sort.value, "rank": _RANK},
        )
        self._table.show(
            _columns(runs, dated=value.night is None),
            [run.run_id for run in runs],
            total=len(value.every),
            selected=self.selected,
            **self._ties.marks(
                self._table.show, [run.run_id for run in runs], [run.ms_path for run in runs]
            ),
            note=("" if value.night is None else f", night {value.night}")
            + ("" if value.timed else "; no jobs table: states by ms_index"),
        )
        causes = Counter(run.cause for run in value.every if run.status == "failed")
        why = ", ".join(f"{cause or 'unknown'} {n}" for cause, n in causes.most_common())
        counts = count_words(words, ("completed", "failed", "running", "pending"))
        if why:
            counts = re.sub(r"(\d+ failed)", rf"\1 ({why})", counts, count=1)
        return f"{len(words)} runs: {counts}" if words else "no runs"

    async def _key_of(self, field: str, value: str) -> str | None:
        key: str = await self._lab.jobs.run_id_of(value)
        return key

    async def _value_of(self, key: str) -> str:
        run: Run = await self._lab.jobs.get_job(key)
        return run.ms_path

    async def _fetch_detail(self, key: str) -> Any:
        return await asyncio.gather(
            self._lab.jobs.read_log_tail(key, _LOG_LINES),
            self._lab.jobs.build_provenance_links(key),
            self._lab.jobs.get_job(key),
            return_exceptions=True,
        )

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._tell(_HINT)
            return
        log, links, run = value
        broken = next((part for part in (run, links) if isinstance(part, Exception)), None)
        linked = error_html(broken) if broken is not None else _links_html(run, links)
        if isinstance(log, Exception):
            self._tell(error_html(log), "", linked)
        else:
            self._tell(_log_name(log), _log_html(log), linked)

    def _tell(self, name: str, log: str = "", links: str = "") -> None:
        self._log_name.value, self._log.value, self._links.value = name, log, links

    def _show_detail_error(self, words_html: str) -> None:
        self._tell(words_html)

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def _static(self) -> tuple[str, str]:
        parts = [self._log_name.value, self._log.value, self._links.value]
        detail = "" if self.selected is None else "".join(parts)
        return f"{self._table.to_html()}{detail}", self._table.to_text()


def _status_options(words: Sequence[str | None]) -> list[tuple[str, str]]:
    others = sorted({str(word) for word in words if word} - set(_STATUSES))
    return [("any", ANY), *((word, word) for word in (*_STATUSES, *others))]


def _sorted(runs: list[Run], by: str) -> list[Run]:
    """Sort over all rows, not only those that are shown; ties stay in order of time."""
    if by == "latest":
        return runs[::-1]
    if by == "status":
        return sorted(runs, key=lambda run: _RANK.get(run.status, 3))

    def highest_first(run: Run) -> tuple[bool, float]:
        value: float | None = getattr(run, by)
        return (value is None, -(value or 0.0))

    return sorted(runs, key=highest_first)


def _columns(runs: Sequence[Run], *, dated: bool) -> list[Column]:
    # the row names the MS already
    messages = [
        None if run.message is None else run.message.replace(run.ms_path, "the MS") for run in runs
    ]
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    tries = [run.attempts for run in runs]
    took = [run.duration_s for run in runs]
    return [
        Column(title="MS", texts=Written([run.ms_path for run in runs], short_ms)),
        _words("status", [run.status for run in runs], 24, "the jobs table does not say"),
        _words("cause", [run.cause for run in runs], 16, "only failed runs have one"),
        _words("step", [run.step for run in runs], 16),
        Column(
            title="started (UTC)",
            texts=Written(
                [run.started_at for run in runs], lambda unix_s: utc(_when(unix_s), form)
            ),
            sort_by=[run.started_at for run in runs],
            kind="time",
        ),
        numbers("took", took, duration, "it has not ended, or no time is kept"),
        numbers("tries", tries),
        _words("message", messages, 200),
    ]


def _when(unix_s: float | None) -> datetime | None:
    known = unix_from_value(unix_s)
    return None if known is None else datetime_from_unix(known)


def _words(title: str, words: Iterable[Any], width: int, missing: str = "not recorded") -> Column:
    texts = Written(list(words), lambda word: clip(word, width))
    return Column(title=title, texts=texts, missing=missing)


def _log_html(log: LogTail) -> str:
    """Return the lines of a log, those that tell of trouble marked."""
    lines = [
        f"<span class='contimg-bad'>{escape(line)}</span>"
        if _BAD_LINE.search(line)
        else escape(line)
        for line in log.lines
    ]
    return f"<pre class='contimg-log'>{chr(10).join(lines)}</pre>" if lines else ""


def _log_name(log: LogTail) -> str:
    """Say which log this is."""
    more = f", last {len(log.lines)} lines" if log.truncated else ""
    return f"<h4>Log: {escape(log.why)}{more}</h4>"


def _links_html(run: Run, links: Provenance) -> str:
    """Return what one run links: how it ended, MS, cal tables, pointing, images."""
    cal = "none by validity" if links.cal_table is None else short_ms(links.cal_table)
    if links.cal_distance_hours is not None:
        cal += f" ({links.cal_state}, {links.cal_distance_hours:.1f} h)"
    applied = ", ".join(short_ms(path) for path in links.applied_paths)
    position = None
    if links.pointing_ra_deg is not None and links.pointing_dec_deg is not None:
        position = f"RA {links.pointing_ra_deg:.4f}°, Dec {links.pointing_dec_deg:+.4f}°"
    images = ", ".join(short_ms(path) for path in links.image_paths)
    rows: dict[str, object] = {
        "Run": run.run_id,
        "Status": run.status if run.cause is None else f"{run.status}: {run.cause}",
        "Message": run.message,
        "Shown in": None if run.cause_source is None else run.cause_source.rsplit("/", 1)[-1],
        "Took": f"{duration(run.duration_s)}, {run.attempts} attempt(s)",
        "MS": links.ms_path,
        "Cal table": cal,
        "Applied": applied or "not recorded",
        "Pointing": position or "unknown",
        "Images": images or "none",
        "Grade by stage": links.stage_grade,
    }
    shown = {name: value for name, value in rows.items() if value is not None}
    return f"<h4>What it links</h4>{facts(shown)}"
