"""The report of a night: what every check said, what follows by rule, and what it stands on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.analysis.checks import WORDS, Check, Night, all_checks, run_checks
from contimg_lab.analysis.runs import stage_grade
from contimg_lab.analysis.verdicts import (
    Recommendation,
    Withdrawal,
    recommend_hour,
    recommend_night,
    verdict_of,
    withdrawals,
)
from contimg_lab.errors import NotFound
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.records.qa import HourSummary, Outcome
from contimg_lab.services._frames import frame, record_frame
from contimg_lab.services._origin import versions
from contimg_lab.services._part_values import SEVERAL
from contimg_lab.services._promotion import Promotion, promotion_of
from contimg_lab.services._proof_rows import watched
from contimg_lab.services._report_html import report_html
from contimg_lab.services._report_json import report_json, report_schema
from contimg_lab.services.night_columns import NightRead
from contimg_lab.services.night_summary import NightSummary, summarise
from contimg_lab.thresholds import Thresholds
from contimg_lab.times import datetime_from_unix

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.plots.checks import CheckFigure
    from contimg_lab.services.report_part import ReportPart

__all__ = ["HourReport", "NightReport", "make_report", "report_schema"]

_UNFINISHED = frozenset({"pending", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HourReport:
    """One UTC hour of a night: the unit that is accepted or rejected.

    Attributes
    ----------
    night, hour
        UTC date and hour.
    verdict
        pass, warn, fail, or not applicable.
    outcomes
        What each check said of it.
    recommendation
        What to do with it, and the rule that says so.
    promotion
        The class that it is a candidate for, with the conditions.
    summary
        Its counts.
    """

    night: str
    hour: int
    verdict: str
    outcomes: tuple[Outcome, ...] = field(repr=False)
    recommendation: Recommendation
    promotion: Promotion
    summary: HourSummary = field(repr=False)

    def to_pandas(self) -> pd.DataFrame:
        """Return the outcomes as a DataFrame, one row each."""
        return _outcome_frame(self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport(NightSummary):
    """What a night came to, judged.

    What it is compared with lies before it: earlier nights' noise and fluxes, and cal tables up
    to its end. So no later night changes it.

    Attributes
    ----------
    outcomes
        What each check said, in order of the checks; each said something, if only why it is
        not applicable.
    judged
        Each UTC hour that has a tile.
    verdict
        pass, warn, fail, or not applicable: the worst of the hours and of the whole night.
    recommendation
        What to do with it, and the rule that says so.
    withdraw
        What would have to be withdrawn for no gate to fail.
    thresholds
        The set that it was judged by: its name, digest and values.
    gates
        Checks whose fail is a fail; what the others say is for the reviewer to weigh.
    stage_grades
        MS by the grade of the older system, which is told from the stage alone: no measurement.
    versions
        Of what computed it.
    database
        ``identity`` and ``layout``.
    as_of
        When it was read (UTC).
    columns
        What the checks were given.
    evidence
        Every row that it was computed from.
    token
        State of the database that it was read from, see `Lab.token`; None where it fell among
        commits to other rows.
    """

    outcomes: tuple[Outcome, ...] = field(repr=False)
    judged: tuple[HourReport, ...] = field(repr=False)
    verdict: str
    recommendation: Recommendation
    withdraw: tuple[Withdrawal, ...]
    thresholds: Thresholds
    gates: frozenset[str] = field(repr=False)
    stage_grades: Mapping[str, int]
    versions: Mapping[str, str] = field(compare=False)
    database: Mapping[str, str]
    as_of: datetime = field(compare=False)
    columns: Night = field(repr=False, compare=False)
    evidence: Evidence = field(repr=False, compare=False)
    token: tuple[object, ...] | None = field(repr=False, compare=False)

    def hour(self, hour: int) -> HourReport:
        """Return one UTC hour.

        Raises
        ------
        NotFound
            The night has no tile in that hour.
        """
        for one in self.judged:
            if one.hour == hour:
                return one
        held = ", ".join(f"{one.hour:02d}" for one in self.judged) or "none"
        raise NotFound("hour", hour, f"hours of {self.night} with tiles: {held}")

    def of(self, check: str) -> tuple[Outcome, ...]:
        """Return what one check said; nothing where there is no such check."""
        return tuple(one for one in self.outcomes if one.check == check)

    def part(self, name: str) -> ReportPart:
        """Return one part, which carries what it was computed from wherever it is shown.

        Parameters
        ----------
        name
            ``verdict``, ``hours``, ``checks``, ``fails``, ``warns``, ``not applicable``,
            ``withdraw``, ``stage grade``, ``thresholds``, ``evidence``, or the name of a check;
            names of checks with commas between them are one part together.

        Raises
        ------
        InvalidInput
            There is no part of that name.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     part = lab.qa.night(lab.last_night()).part("noise")
        >>> sorted(part.proof["tables"])[:3]
        ['derived: kind of MS', 'derived: noise reference', 'images']
        """
        from contimg_lab.services.report_part import make_part

        return make_part(self, name)

    def figure(self, *checks: str) -> CheckFigure:
        """Draw what a reviewer looks at for some checks, in one figure.

        Points are marked by their word in shape and colour, limits drawn with whose they are.
        Where a check has no picture, the figure says why in words. Its ``alt`` says all of it.
        In a notebook it carries what it was computed from, as a `part` does.

        Parameters
        ----------
        *checks
            Names of checks.

        Raises
        ------
        NotFound
            There is no such check in this report, or none was named.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     figure = lab.qa.night(lab.last_night()).figure("beam", "noise")
        >>> [axes.get_xlabel() for axes in figure.axes]
        ['UTC on 2025-11-06 (h)', 'UTC on 2025-11-06 (h)']
        """
        from contimg_lab.services.report_part import make_part

        columns, seen = watched(self.columns)
        figure = _faces.figure_of_checks(dataclasses.replace(self, columns=columns), *checks)
        figure.part = make_part(self, SEVERAL.join(checks), seen)
        return figure

    def to_pandas(self) -> pd.DataFrame:
        """Return the hours as a DataFrame, one row a UTC hour: counts, verdict, what to do."""
        made = record_frame(HourSummary, self.hours)
        of = {one.hour: one for one in self.judged}
        mine = [of[hour.hour] for hour in self.hours]
        for name, values in (
            ("verdict", [one.verdict for one in mine]),
            ("decision", [one.recommendation.decision for one in mine]),
            ("rule", [one.recommendation.rule for one in mine]),
            ("promotion", [one.promotion.candidate for one in mine]),
        ):
            made[name] = frame({name: values}, {name: str}, units={})[name]
        return made

    def checks(self) -> pd.DataFrame:
        """Return the outcomes as a DataFrame, one row each."""
        return _outcome_frame(self.outcomes)

    def matrix(self) -> pd.DataFrame:
        """Return the worst word of each check (rows) in each hour (columns), night last."""
        import pandas as pd

        table = self.words()
        hours = [f"{one.hour:02d}" for one in self.judged]
        made = pd.DataFrame.from_dict(table, orient="index", columns=[*hours, "night"])
        made.index.name = "check"
        return made

    def words(self) -> dict[str, list[str | None]]:
        """Return the worst word of each check by hour, then of the whole night; None: nothing."""
        places = {one.hour: i for i, one in enumerate(self.judged)}
        table: dict[str, list[str | None]] = {}
        for one in self.outcomes:
            row = table.setdefault(one.check, [None] * (len(places) + 1))
            at = len(places) if one.hour is None else places.get(one.hour, len(places))
            held = row[at]
            if held is None or WORDS.index(one.word) > WORDS.index(held):
                row[at] = one.word
        return table

    def lines(self) -> list[str]:
        """Return the report in words: the verdict first, then what fails, warns and is unknown."""
        told = [
            f"verdict: {self.verdict}",
            f"recommended: {self.recommendation.decision} ({self.recommendation.rule})",
        ]
        for word in reversed(WORDS):
            counts = Counter(one.check for one in self.outcomes if one.word == word)
            names = [name if n == 1 else f"{name} ({n})" for name, n in counts.items()]
            told.append(f"{word}: {', '.join(names) or 'none'}")
        if self.withdraw:
            named = [f"{one.scope} {one.key}" for one in self.withdraw]
            told.append(f"to be withdrawn for it to pass: {', '.join(named)}")
        grades = ", ".join(f"{n} {grade}" for grade, n in self.stage_grades.items())
        told.append(f"stage grade (from the stage alone, no measurement): {grades or 'none'}")
        told += NightSummary.lines(self)
        told.append(f"thresholds: {self.thresholds.name} {self.thresholds.digest[:12]}")
        told.append(f"evidence: {len(self.evidence)} rows, {self.evidence.digest[:12]}")
        return told

    def __repr__(self) -> str:
        return "\n  ".join([f"Night {self.night} (UTC)", *self.lines()])

    def _repr_html_(self) -> str:
        return report_html(self)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON has it: a number that is not finite becomes null.

        ``report.schema.json`` beside the package's files tells what stands in it; see
        `report_schema`.
        """
        return report_json(self)


def make_report(read: NightRead, thresholds: Thresholds, identity: str, layout: str) -> NightReport:
    """Judge a night that was read.

    Parameters
    ----------
    read
        Its columns, its runs and its evidence.
    thresholds
        The set to judge by.
    identity, layout
        Of the database.
    """
    night = read.night
    entries = [entry for entry in read.rows.entries if entry.indexed]
    summary = summarise(night.night, entries, read.runs, read.covers, read.noise_jy)
    checks: Sequence[Check] = all_checks()
    outcomes = run_checks(night, thresholds, checks)
    gates = frozenset(one.name for one in checks if one.severity == "gate")
    judged = tuple(
        _hour_report(hour, summary, night, outcomes, gates, thresholds) for hour in night.hours
    )
    whole = tuple(one for one in outcomes if one.hour is None)
    told = {f.name: getattr(summary, f.name) for f in dataclasses.fields(NightSummary)}
    return NightReport(
        **told,
        outcomes=outcomes,
        judged=judged,
        verdict=verdict_of(outcomes, gates),
        recommendation=recommend_night(
            {one.hour: one.recommendation for one in judged}, whole, gates
        ),
        withdraw=withdrawals(outcomes, gates),
        thresholds=thresholds,
        gates=gates,
        stage_grades=dict(Counter(map(stage_grade, night.ms["stage"].tolist())).most_common()),
        versions=versions(),
        database={"identity": identity, "layout": layout},
        as_of=datetime_from_unix(night.as_of_unix_s),
        columns=night,
        evidence=read.evidence,
        token=read.token,
    )


def _hour_report(
    hour: int,
    summary: NightSummary,
    night: Night,
    outcomes: Sequence[Outcome],
    gates: frozenset[str],
    thresholds: Thresholds,
) -> HourReport:
    mine = tuple(one for one in outcomes if one.hour == hour)
    verdict = verdict_of(mine, gates)
    runs = night.runs
    unfinished = sum(word in _UNFINISHED for word in runs["status"][runs["hour"] == hour])
    return HourReport(
        night=night.night,
        hour=hour,
        verdict=verdict,
        outcomes=mine,
        recommendation=recommend_hour(mine, gates, unfinished),
        promotion=promotion_of(night, hour, verdict, thresholds),
        summary=next(one for one in summary.hours if one.hour == hour),
    )


def _outcome_frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    import pandas as pd

    made = record_frame(Outcome, outcomes)
    made["rows"] = pd.Series([dict(one.rows) for one in outcomes], dtype=object)
    return made
