"""Jobs: the runs of a night, failures first; a chosen one shows its log and what it links."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._board import Chips
from contimg_lab.panels._controls import (
    ANY,
    LAST_NIGHT,
    Choice,
    TextFilter,
    night_of,
    night_options,
)
from contimg_lab.panels._job_words import (
    RANK,
    cause_chips,
    columns,
    duration_words,
    links_html,
    sorted_runs,
    status_chips,
    steps,
)
from contimg_lab.panels._log_view import LOG_LINES, Following, LogView
from contimg_lab.panels._table import Table
from contimg_lab.panels._words import count_words, error_html, error_words, escape
from contimg_lab.services._origin import Origin
from contimg_lab.services.jobs_summary import JobsSummary, summarise_runs

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.records.jobs import LogTail, Run

__all__ = ["JobsPanel"]

_SORTS = (
    ("failed first", "status"),
    ("latest first", "latest"),
    ("longest first", "duration_s"),
    ("most tries first", "attempts"),
)
_HINT = "<span class='contimg-quiet'>Choose a run to see its log and what it links.</span>"
_CALM = "<span class='contimg-quiet'>No run failed.</span>"


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    text: str | None
    every: Sequence[Run]
    runs: Sequence[Run]
    summary: JobsSummary
    frame_of: Callable[[Sequence[Run]], pd.DataFrame]
    timed: bool


class JobsPanel(Panel):
    """Runs of a night.

    Parameters
    ----------
    lab
        An open Lab.
    night, status, cause, sort, text
        First values of the filters: a UTC date, ``last`` or ``all``; a status; a cause of
        failure; status, latest, duration_s or attempts; a text.
    start
        Read at once.
    """

    title = "Jobs"
    by_night = True
    by_frames = False  # a panel that people open first: its rows do not wait for pandas
    selects = "ms_path"
    shows = ("job", "status")
    renames = True

    def __init__(
        self,
        lab: Any,
        *,
        night: str = LAST_NIGHT,
        status: str = ANY,
        cause: str = ANY,
        sort: str = "status",
        text: str = "",
        start: bool = True,
    ) -> None:
        self._first = (str(night), status, cause, sort, text)
        self._following = Following(lab, self._add_lines, self._put_log, self._end_following)
        self._tail: LogTail | None = None
        self._detail_of: tuple[str, str] | None = None
        self._seen = True
        super().__init__(lab, start=start)
        # they stand below the bar, and are filters of it all the same
        self._head.filters = (*self._head.filters, self._status_filter, self._cause_filter)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        night, status, cause, sort, text = self._first
        self._night = Choice("Night", night_options(()), night, self._on_filter)
        self._sort = Choice("Sort", _SORTS, sort, self._on_sort, 150)
        self._text = TextFilter("MS, cause, message", text, 150)
        self._status_filter = Chips("runs by status", self._home, value=status)
        self._cause_filter = Chips("failures by cause", self._home, look="lines", value=cause)
        self._calm = widgets.HTML(layout={"display": "none"})
        self._durations = widgets.HTML()
        self._table = Table("runs", 250, self._choose)
        self._steps = Chips("what the run links", self._home, look="steps", on_press=self._lead)
        self._log_name = widgets.HTML(_HINT, layout={"flex": "1 1 auto", "min_width": "0"})
        self._follow_button = widgets.ToggleButton(
            value=False,
            description="follow",
            icon="arrow-down",
            tooltip="add new lines of the log as they are written; begins by itself for a run "
            "that is running",
            layout={"width": "90px", "flex": "0 0 auto"},
        )
        self._log = LogView(self._home, 244)
        self._links = widgets.HTML()
        for part in (self._calm, self._durations, self._log_name, self._links):
            part.add_class("contimg-detail")
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._status_filter, self._on_status)
        self._watch(self._cause_filter, self._on_filter)
        self._watch(self._sort.widget, self._sort.changed)
        self._watch(self._text.widget, self._on_filter)
        self._watch(self._follow_button, self._on_follow)
        self._watch(*self._table.watched)
        filters = [control.widget for control in (self._night, self._sort, self._text)]
        return filters, [self._status_filter, *self._arranged(widgets)]

    def _arranged(self, widgets: Any) -> list[Any]:
        """Lay out what stands below the states; every box keeps its height."""
        row = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        low = {"height": "104px", "overflow": "auto", "min_width": "0"}
        still = {"height": "280px", "overflow": "auto", "min_width": "0"}
        told = [
            widgets.VBox([self._cause_filter, self._calm], layout=low | {"flex": "3 1 380px"}),
            widgets.Box([self._durations], layout=low | {"flex": "2 1 260px"}),
        ]
        line = widgets.Box([self._log_name, self._follow_button], layout={"align_items": "center"})
        boxes = [
            widgets.VBox(
                [line, self._log], layout=still | {"flex": "3 1 380px", "overflow": "hidden"}
            ),
            widgets.Box([self._links], layout=still | {"flex": "2 1 260px"}),
        ]
        strip = widgets.Box([self._steps], layout={"height": "30px", "overflow": "auto"})
        below = [widgets.Box(told, layout=row), self._table.widget]
        return [*below, strip, widgets.Box(boxes, layout=row)]

    def _on_sort(self, change: Any) -> None:
        self._table.sort(None)  # the newer wish holds
        self.refresh()

    def _on_status(self, change: Any) -> None:
        if self._status_filter.value not in (ANY, "failed"):
            self._cause_filter.value = ANY  # others have no cause
        self.refresh()

    async def _fetch(self) -> _Page:
        text = await self._text.read()
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        jobs = self._lab.jobs
        every = await jobs.list_jobs(night=night, limit=None)
        found = every if text is None else await jobs.list_jobs(night=night, text=text, limit=None)
        # of the very rows that are shown: they are not read twice
        summary = await asyncio.to_thread(summarise_runs, every, night, Origin())
        frame_of = await jobs.frame_maker(night=night, text=text)
        absent = (await self._lab.absent()).get("jobs", ())
        timed = not {"started_at", "finished_at"} & set(absent)
        return _Page(nights, night, text, every, found, summary, frame_of, timed)

    def _show(self, value: _Page) -> str:
        self._night.offer(night_options(value.nights))
        summary = value.summary
        status, cause = self._status_filter.value, self._cause_filter.value
        self._status_filter.show(status_chips(summary, status))
        self._cause_filter.show(cause_chips(summary, value.every, cause))
        calm = not summary.cause_counts and not cause
        self._calm.value, self._calm.layout.display = (_CALM, None) if calm else ("", "none")
        self._durations.value = "<br>".join(map(escape, duration_words(summary)))
        runs = [
            run
            for run in value.runs
            if status in (ANY, run.status) and cause in (ANY, run.cause or ANY)
        ]
        runs = sorted_runs(runs, self._sort.value)
        self._make_frame = functools.partial(value.frame_of, runs)
        self._asked = (
            "jobs",
            {"night": value.night, "status": status or None, "cause": cause or None}
            | {"text": value.text, "sort": self._sort.value, "rank": RANK},
        )
        ids = [run.run_id for run in runs]
        unusual = {run.run_id for run in summary.outliers}
        self._table.show(
            columns(runs, unusual, dated=value.night is None),
            ids,
            total=len(value.every),
            selected=self.selected,
            marked=self._ties.marks(ids, [run.ms_path for run in runs]),
            note=("" if value.night is None else f", night {value.night}")
            + ("" if value.timed else "; no jobs table: states by ms_index"),
        )
        return _counts(summary)

    async def _key_of(self, field: str, value: str) -> str | None:
        key: str = await self._lab.jobs.run_id_of(value)
        return key

    async def _value_of(self, key: str) -> str:
        run: Run = await self._lab.jobs.get_job(key)
        return run.ms_path

    async def _fetch_detail(self, key: str) -> Any:
        return await asyncio.gather(
            self._lab.jobs.read_log_tail(key, LOG_LINES),
            self._lab.jobs.build_provenance_links(key),
            self._lab.jobs.get_job(key),
            return_exceptions=True,
        )

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._clear(_HINT)
            return
        log, links, run = value
        broken = next((part for part in (run, links) if isinstance(part, Exception)), None)
        self._links.value = error_html(broken) if broken is not None else links_html(run, links)
        self._steps.show([] if broken is not None else steps(links))
        if isinstance(log, Exception):
            self._forget_log()
            self._log_name.value = error_html(log)
            return
        self._put_log(log)
        status = "" if isinstance(run, Exception) else run.status
        if self._detail_of != (key, status):  # what the reader wishes of this run stays
            self._detail_of = (key, status)
            self._follow_button.value = status == "running" and self._head.live.value
        self._tend()

    def _clear(self, words_html: str) -> None:
        self._forget_log()
        self._log_name.value, self._links.value = words_html, ""
        self._steps.show([])

    def _show_detail_error(self, words_html: str) -> None:
        self._clear(words_html)

    def _lead(self, key: str) -> None:
        """Choose what a step of the strip stands for, which moves the other panels."""
        field, _, value = key.partition(" ")
        field = "ms_path" if field == "pointing" else field
        self._lab.selection.choose(**{field: value})

    # the log

    def _put_log(self, log: LogTail) -> None:
        self._tail = log
        more = f", last {len(log.lines)} lines" if log.truncated else ""
        self._log_name.value = f"<h4>Log: {escape(log.why)}{more}</h4>"
        self._log.show(log.run_id, log.lines)

    def _forget_log(self) -> None:
        self._following.stop()
        self._tail = self._detail_of = None
        self._follow_button.value = False
        self._log.show(None, ())

    def _add_lines(self, lines: Sequence[str], drop: int) -> None:
        self._log.add(lines, drop)

    def _end_following(self, error: Exception) -> None:
        self._follow_button.value = False
        told = f"Not followed any more: {error_words(error)}"
        self._log_name.value += f"<span class='contimg-quiet'>{escape(told)}</span>"

    def _on_follow(self, change: Any) -> None:
        self._tend()

    def _on_seen(self, *, visible: bool) -> None:
        self._seen = visible
        self._tend()

    def _tend(self) -> None:
        """Follow the log of the chosen run where that is wished and it can be seen."""
        if (
            self._tail is not None
            and self._follow_button.value
            and self._seen
            and self.state != "closed"
        ):
            self._following.start(self._tail)
        else:
            self._following.stop()

    def close(self) -> None:
        """Stop following, and close as every panel does."""
        self._following.stop()
        super().close()

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def _static(self) -> tuple[str, str]:
        counted = f"{self._cause_filter.to_html()}<p>{self._durations.value}</p>"
        parts = [self._log_name.value, self._log.to_html(), self._links.value]
        detail = "" if self.selected is None else "".join(parts)
        return f"{counted}{self._table.to_html()}{detail}", self._table.to_text()


def _counts(summary: JobsSummary) -> str:
    if not summary.n_runs:
        return "no runs"
    words = [word for word, n in summary.status_counts.items() for _ in range(n)]
    told = count_words(words, ("completed", "failed", "running", "pending"))
    why = ", ".join(f"{cause} {n}" for cause, n in summary.cause_counts.items())
    failed = f"{summary.status_counts.get('failed', 0)} failed"
    if why:
        told = told.replace(failed, f"{failed} ({why})", 1)
    return f"{summary.n_runs} runs: {told}"
