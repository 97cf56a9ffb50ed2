"""What a check declares of itself, and how it judges a night."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from contimg_lab.analysis.checks._night import Night
from contimg_lab.analysis.checks._tables import TABLES
from contimg_lab.errors import InvalidInput
from contimg_lab.records.qa import Outcome
from contimg_lab.thresholds import Threshold, Thresholds

__all__ = [
    "FAIL",
    "NOT_APPLICABLE",
    "OWN",
    "PASS",
    "SCOPES",
    "SEVERITIES",
    "WARN",
    "WHOLE",
    "WORDS",
    "Check",
    "Found",
    "Function",
    "Limits",
    "check",
]

PASS, WARN, FAIL, NOT_APPLICABLE = "pass", "warn", "fail", "not applicable"
WORDS = (PASS, NOT_APPLICABLE, WARN, FAIL)
"""Words of an outcome, from good to bad."""

SCOPES = ("MS", "image", "cal set", "hour", "night")
"""What a check judges one of."""

SEVERITIES = ("gate", "notice")
"""A gate's fail rejects what it judges; a notice's is for the reviewer to weigh."""

WHOLE = ("cal set", "night")
"""Scopes of no single hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check found of one thing, before it is made an `Outcome`.

    Attributes
    ----------
    word, why
        One of `WORDS`, and a sentence.
    value
        What was measured; NaN where nothing was.
    limit
        Short name of the threshold that decided, or that was nearest; "" for none.
    key
        What it is of; "" for the hour, or the night.
    hour
        UTC hour; None: the whole night.
    rows
        Keys of the rows to blame, by table.
    """

    word: str
    why: str
    value: float = math.nan
    limit: str = ""
    key: str = ""
    hour: int | None = None
    rows: Mapping[str, Iterable[str]] | None = None


Limits = Mapping[str, float]
Function = Callable[[Night, Limits], Iterable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One declared check.

    Attributes
    ----------
    name
        Unique; thresholds of ``name.limit`` are its own.
    protects_against
        What goes wrong where nobody looks.
    metric, unit
        What is measured.
    scope
        One of `SCOPES`.
    severity
        One of `SEVERITIES`.
    needs
        Tables and columns (``table.column``) without which it is not applicable.
    function
        Looks at a night with its limits by short name, and gives what it found.
    limits
        Limits of a check that the sets do not name (of another package), by short name.
    package
        Where it is from.
    """

    name: str
    protects_against: str
    metric: str
    unit: str
    scope: str
    severity: str
    needs: tuple[str, ...]
    function: Function
    limits: Mapping[str, Threshold]
    package: str = "contimg_lab"

    def run(self, night: Night, thresholds: Thresholds) -> tuple[Outcome, ...]:
        """Judge a night: at least one outcome of each hour, or of the night.

        Where what it needs is absent, or nothing is there to look at, that is an outcome too.
        """
        sources = dict(self.limits)
        start = f"{self.name}."
        sources |= {
            name[len(start) :]: held
            for name, held in thresholds.limits.items()
            if name.startswith(start)
        }
        absent = night.why_absent(*self.needs)
        if absent:
            return tuple(self._empty(night, set(), absent))
        with np.errstate(all="ignore"):  # what is missing is NaN, and compares false
            found = tuple(self.function(night, {n: held.value for n, held in sources.items()}))
        made = [self._outcome(night, one, sources) for one in found]
        seen = {one.hour for one in found}
        return tuple([*made, *self._empty(night, seen, "nothing of the kind in this hour")])

    def _empty(self, night: Night, seen: set[int | None], why: str) -> Iterable[Outcome]:
        """One outcome for each hour that nothing was said of, or for the night."""
        if self.scope in WHOLE:
            hours: tuple[int | None, ...] = () if seen else (None,)
            why = why.replace("hour", "night")
        else:
            hours = tuple(hour for hour in night.hours if hour not in seen)
            if not night.hours and not seen:
                hours, why = (None,), "the night has no hour to judge"
        for hour in hours:
            yield self._outcome(night, Found(word=NOT_APPLICABLE, why=why, hour=hour), {})

    def _outcome(self, night: Night, found: Found, sources: Mapping[str, Threshold]) -> Outcome:
        if found.word not in WORDS:
            raise InvalidInput(f"check {self.name}: {found.word!r} is none of {', '.join(WORDS)}")
        limit = sources[found.limit] if found.limit else None
        whole = night.night if found.hour is None else f"{found.hour:02d}"
        rows = {table: tuple(keys) for table, keys in (found.rows or {}).items()}
        return Outcome(
            check=self.name,
            scope=self.scope,
            key=found.key or whole,
            hour=found.hour,
            word=found.word,
            value=float(found.value) if math.isfinite(found.value) else None,
            unit=self.unit,
            threshold=None if limit is None else limit.value,
            threshold_name=f"{self.name}.{found.limit}" if limit else None,
            threshold_source=None if limit is None else limit.source,
            why=found.why,
            rows={table: keys for table, keys in rows.items() if keys},
        )


OWN: dict[str, Check] = {}
"""Checks of this package, by name."""


def check(
    name: str,
    *,
    protects_against: str,
    metric: str,
    unit: str,
    scope: str = "hour",
    severity: str = "gate",
    needs: Iterable[str] = (),
    limits: Mapping[str, Threshold] | None = None,
) -> Callable[[Function], Check]:
    """Declare a check; what is decorated becomes the `Check`.

    Parameters
    ----------
    name, protects_against, metric, unit, scope, severity, needs, limits
        As in `Check`.

    Raises
    ------
    InvalidInput
        A scope, a severity or a table that there is not; or two of one name in this package.

    Examples
    --------
    >>> from contimg_lab.thresholds import Threshold, packaged_thresholds
    >>> @check("example.many", protects_against="a crowd", metric="tiles", unit="1",
    ...        scope="night", limits={"most": Threshold(300.0, "1", "this example")})
    ... def many(night, limits):
    ...     count = night.ms.n_rows
    ...     word = "warn" if count > limits["most"] else "pass"
    ...     yield Found(word=word, why=f"{count} MS", value=count, limit="most")
    >>> from contimg_lab.analysis.checks import make_night
    >>> many.run(make_night("2025-10-09"), packaged_thresholds())[0].why
    '0 MS'
    """
    asked = tuple(needs)
    for held, told, among in (
        (scope, "scope", SCOPES),
        (severity, "severity", SEVERITIES),
        *((need.partition(".")[0], "table", tuple(TABLES)) for need in asked),
    ):
        if held not in among:
            raise InvalidInput(f"check {name}: {told} {held!r} is none of {', '.join(among)}")

    def declare(function: Function) -> Check:
        made = Check(
            name=name,
            protects_against=protects_against,
            metric=metric,
            unit=unit,
            scope=scope,
            severity=severity,
            needs=asked,
            function=function,
            limits=dict(limits or {}),
            package=function.__module__.partition(".")[0],
        )
        if function.__module__.startswith("contimg_lab.analysis.checks."):
            if name in OWN and OWN[name].function.__qualname__ != function.__qualname__:
                raise InvalidInput(f"two checks are named {name}")
            OWN[name] = made
        return made

    return declare
