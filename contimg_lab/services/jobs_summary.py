"""Runs in figures: how many of each status and cause, how long, and which took unusually long."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.durations import durations
from contimg_lab.records.jobs import Run
from contimg_lab.services._causes import UNKNOWN
from contimg_lab.services._frames import frame
from contimg_lab.services._origin import Origin

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JobsSummary", "summarise_runs"]

_SHOWN = 5  # outliers that are named in words


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSummary:
    """What the runs of a night, or of all nights, came to.

    Attributes
    ----------
    night
        UTC date; None: every run.
    n_runs
        Runs.
    status_counts
        Runs by status, most first.
    cause_counts
        Failed runs by cause, most first.
    duration_status
        Durations are those of runs of this status: a failed run ends when it fails.
    n_durations, duration_median_s, duration_mad_s
        Runs of that status with a known duration, its median and median absolute deviation;
        NaN where none is known.
    outliers
        Runs further than 5 x 1.4826 MAD from the median, longest first.
    no_outliers_why
        Why no run can be called an outlier; "" where it can.
    provenance
        Where the numbers come from.
    """

    night: str | None
    n_runs: int
    status_counts: Mapping[str, int]
    cause_counts: Mapping[str, int]
    duration_status: str
    n_durations: int
    duration_median_s: float
    duration_mad_s: float
    outliers: tuple[Run, ...]
    no_outliers_why: str
    provenance: Origin

    def to_pandas(self) -> pd.DataFrame:
        """Return the counts and durations, one row a figure: ``what``, ``name``, ``value``.

        ``what`` is ``status``, ``cause``, ``duration`` (seconds) or ``outlier`` (its duration
        in seconds, by run id).
        """
        rows: list[tuple[str, str, float]] = [
            *(("status", name, n) for name, n in self.status_counts.items()),
            *(("cause", name, n) for name, n in self.cause_counts.items()),
            ("duration", "n", self.n_durations),
            ("duration", "median_s", self.duration_median_s),
            ("duration", "mad_s", self.duration_mad_s),
            *(("outlier", run.run_id, run.duration_s or 0.0) for run in self.outliers),
        ]
        what, name, value = zip(*rows, strict=True)
        told = {"what": what, "name": name, "value": value}
        made = frame(
            told,
            {"what": str, "name": str, "value": float},
            units={"value": "1; s of durations and outliers"},
        )
        made.attrs["provenance"] = self.provenance.told()
        return made

    def lines(self) -> list[str]:
        """Return the summary in words."""
        states = [f"{n} {status}" for status, n in self.status_counts.items()]
        causes = [f"{n} {cause}" for cause, n in self.cause_counts.items()]
        if self.n_durations:
            took = (
                f"median {self.duration_median_s:.0f} s, MAD {self.duration_mad_s:.0f} s "
                f"of {self.n_durations} {self.duration_status} runs"
            )
        else:
            took = f"of no {self.duration_status} run known"
        unusual = [f"{run.run_id} ({run.duration_s:.0f} s)" for run in self.outliers[:_SHOWN]]
        more = len(self.outliers) - len(unusual)
        unusual += [f"{more} more"] if more else []
        none = f"not judged: {self.no_outliers_why}" if self.no_outliers_why else "none"
        return [
            f"runs: {', '.join(states) or 'none'}",
            f"failures by cause: {', '.join(causes) or 'none'}",
            f"duration: {took}",
            f"unusual durations: {', '.join(unusual) or none}",
        ]

    def __repr__(self) -> str:
        title = f"Runs of {self.night} (UTC)" if self.night else "Runs of every night"
        return "\n  ".join([title, *self.lines()])

    def _repr_html_(self) -> str:
        first, *rest = repr(self).splitlines()
        items = "".join(f"<li>{html.escape(line.strip())}</li>" for line in rest)
        return f"<b>{html.escape(first)}</b><ul>{items}</ul>"


def summarise_runs(runs: Sequence[Run], night: str | None, origin: Origin) -> JobsSummary:
    """Make the value of `JobsService.summary`."""
    status = "completed"
    judged = [run for run in runs if run.status == status]
    times = np.array([math.nan if r.duration_s is None else r.duration_s for r in judged], float)
    found = durations(times)
    unusual = [judged[k] for k in np.flatnonzero(found.is_outlier).tolist()]
    unusual.sort(key=lambda run: -(run.duration_s or 0.0))
    return JobsSummary(
        night=night,
        n_runs=len(runs),
        status_counts=dict(Counter(run.status for run in runs).most_common()),
        cause_counts=dict(
            Counter(run.cause or UNKNOWN for run in runs if run.status == "failed").most_common()
        ),
        duration_status=status,
        n_durations=found.n,
        duration_median_s=found.median_s,
        duration_mad_s=found.mad_s,
        outliers=tuple(unusual),
        no_outliers_why=found.why_not,
        provenance=origin,
    )
