"""Runs in words: columns of the table, chips that count them, and the steps that one links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.durations import OUTLIER_SIGMA
from contimg_lab.panels._board import Chip
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import clip, duration, facts, short_ms, utc
from contimg_lab.times import datetime_from_unix, unix_from_value

if TYPE_CHECKING:
    from contimg_lab.records.jobs import Provenance, Run
    from contimg_lab.services.jobs_summary import JobsSummary

__all__ = [
    "RANK",
    "cause_chips",
    "columns",
    "duration_words",
    "links_html",
    "sorted_runs",
    "status_chips",
    "steps",
]

RANK = {"failed": 0, "running": 1, "pending": 2, "completed": 4}
"""Order of the states where failed runs come first; others stand at 3."""

_SIGNS = {
    "failed": ("✗", "bad"),
    "running": ("▶", "busy"),
    "pending": ("…", ""),
    "completed": ("✓", "ok"),
}
_MOST_IMAGES = 4


def sorted_runs(runs: list[Run], by: str) -> list[Run]:
    """Sort over all rows, not only those that are shown; ties stay in order of time."""
    if by == "latest":
        return runs[::-1]
    if by == "status":
        return sorted(runs, key=lambda run: RANK.get(run.status, 3))

    def highest_first(run: Run) -> tuple[bool, float]:
        value: float | None = getattr(run, by)
        return (value is None, -(value or 0.0))

    return sorted(runs, key=highest_first)


def columns(runs: Sequence[Run], unusual: Collection[str], *, dated: bool) -> list[Column]:
    """Columns of runs; a duration among the ``unusual`` run ids is marked."""
    # the row names the MS already
    messages = [
        None if run.message is None else run.message.replace(run.ms_path, "the MS") for run in runs
    ]
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    took = [
        None if run.duration_s is None else (run.duration_s, run.run_id in unusual) for run in runs
    ]
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
        Column(
            title="took",
            texts=Written(took, lambda told: ("⚠ " if told[1] else "") + duration(told[0])),
            sort_by=[run.duration_s for run in runs],
            kind="number",
            missing="it has not ended, or no time is kept",
        ),
        numbers("tries", [run.attempts for run in runs]),
        _words("message", messages, 200),
    ]


def status_chips(summary: JobsSummary, wanted: str) -> list[Chip]:
    """A chip for each status with its number, and one for all."""
    counts = {**dict.fromkeys(RANK, 0), **summary.status_counts}
    if wanted:
        counts.setdefault(wanted, 0)
    others = sorted(set(counts) - set(RANK))
    made = [Chip(key="", text=f"all {summary.n_runs}", title="runs of every status")]
    for status in (*RANK, *others):
        sign, state = _SIGNS.get(status, ("•", "warn"))
        text = f"{clip(status, 32)} {counts[status]}"
        title = f"show only runs that are {status}"
        made.append(Chip(key=status, sign=sign, text=text, state=state, title=title))
    return made


def cause_chips(summary: JobsSummary, runs: Iterable[Run], wanted: str) -> list[Chip]:
    """A chip for each cause of failure with its number, and an example's message beside it."""
    examples: dict[str, str] = {}
    for run in runs:
        if run.status == "failed" and run.message is not None:
            said = " ".join(run.message.replace(run.ms_path, "the MS").split())
            examples.setdefault(run.cause or "", said)
    counts = Counter(summary.cause_counts)
    if wanted:
        counts.setdefault(wanted, 0)
    return [
        Chip(
            key=cause,
            sign="✗",
            text=f"{clip(cause, 32)} {n}",
            state="bad",
            note=clip(examples.get(cause, "no message was found"), 300),
            title=f"show only runs that failed by {cause}",
        )
        for cause, n in counts.items()
    ]


def duration_words(summary: JobsSummary) -> list[str]:
    """Say how long runs took, and by which rule a duration is marked."""
    n, status = summary.n_durations, summary.duration_status
    if not n:
        return [f"Durations: of no {status} run known."]
    took = (
        f"Durations: median {duration(summary.duration_median_s)}, MAD "
        f"{duration(summary.duration_mad_s)} of {n} {status} runs."
    )
    if summary.no_outliers_why:
        return [took, f"None is marked as unusual: {summary.no_outliers_why}."]
    count = len(summary.outliers)
    return [
        took,
        f"⚠ marks {count} of them: further than {OUTLIER_SIGMA:g} × 1.4826 MAD from the median.",
    ]


def steps(links: Provenance) -> list[Chip]:
    """From the MS to its images: what is there, what is missing, and where each leads."""
    made = [_step(f"ms_path {links.ms_path}", "MS", short_ms(links.ms_path), links.ms_path)]
    if links.cal_table is None:
        made.append(_missing("cal", f"cal table by validity ({links.cal_state})"))
    else:
        far = links.cal_distance_hours
        away = "" if far is None or links.cal_state == "inside" else f" {far:.1f} h"
        name, key = short_ms(links.cal_table), f"caltable {links.cal_table}"
        near = links.cal_state != "inside"
        word = f"{links.cal_state}{away}"
        made.append(_step(key, "cal table", name, links.cal_table, word=word, near=near))
    if links.pointing_ra_deg is None or links.pointing_dec_deg is None:
        made.append(_missing("pointing", "pointing"))
    else:
        where = f"RA {links.pointing_ra_deg:.2f}° Dec {links.pointing_dec_deg:+.2f}°"
        made.append(_step(f"pointing {links.ms_path}", "pointing", where, "show it on the sky"))
    for path in links.image_paths[:_MOST_IMAGES]:
        made.append(_step(f"image {path}", "image", short_ms(path), path))
    more = len(links.image_paths) - _MOST_IMAGES
    if more > 0:
        made.append(Chip(key="more", text=f"and {more} more images", off=True))
    if not links.image_paths:
        made.append(_missing("images", "images"))
    return made


def _step(
    key: str, kind: str, name: str, title: str, *, word: str = "ok", near: bool = False
) -> Chip:
    sign, state = ("~", "warn") if near else ("✓", "ok")
    text = f"{kind} {word}: {name}"  # a narrow page cuts it off from its end
    return Chip(key=key, sign=sign, text=text, state=state, title=title)


def _missing(key: str, what: str) -> Chip:
    return Chip(key=key, sign="✗", text=f"{what} missing", state="bad", off=True)


def links_html(run: Run, links: Provenance) -> str:
    """Return what one run links as a table: how it ended, MS, cal tables, pointing, images."""
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


def _when(unix_s: float | None) -> datetime | None:
    known = unix_from_value(unix_s)
    return None if known is None else datetime_from_unix(known)


def _words(title: str, words: Iterable[Any], width: int, missing: str = "not recorded") -> Column:
    texts = Written(list(words), lambda word: clip(word, width))
    return Column(title=title, texts=texts, missing=missing)
