"""What a reviewer has chosen and typed about a night, and what is lacking for it to be signed.

Nothing here is shown and nothing is signed: `arguments` is what ``lab.qa.sign`` is called with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._sign_items import Item, Place, items_of

if TYPE_CHECKING:
    from contimg_lab.services.night_report import HourReport, NightReport

__all__ = ["ACCEPT", "CHOICES", "EXCEPTIONS", "Draft"]

ACCEPT, EXCEPTIONS = "accept", "accept with exceptions"
CHOICES = (ACCEPT, EXCEPTIONS, "reject", "hold")
_ACCEPTING = CHOICES[:2]


class Draft:
    """What was chosen and typed about one night; what nobody touched is as recommended.

    Parameters
    ----------
    report
        What is decided on; `judge` puts another in its place.

    Attributes
    ----------
    report, items, hours
        The report, what it warns of or fails by place, and the hours that it judges.
    decision
        Of the night; None: untouched.
    chosen, classes
        Decisions and promotion classes of hours that were touched.
    reasons
        Typed beside a check, by its place and name.
    reason, notes
        Of the night.
    corrects
        Number of the entry that is put right; None: none.
    """

    def __init__(self, report: NightReport) -> None:
        self.decision: str | None = None
        self.chosen: dict[int, str] = {}
        self.classes: dict[int, str] = {}
        self.reasons: dict[tuple[Place, str], str] = {}
        self.reason = self.notes = ""
        self.corrects: int | None = None
        self._confirmed: object = None
        self.judge(report)

    def judge(self, report: NightReport) -> None:
        """Take another report of the night; what was typed and chosen stays."""
        self.report = report
        self.items = items_of(report)
        self.hours: Mapping[int, HourReport] = {one.hour: one for one in report.judged}

    @property
    def is_touched(self) -> bool:
        """Whether anything was typed or chosen."""
        typed = [self.reason, self.notes, *self.reasons.values()]
        return bool(self.decision or self.chosen or self.classes) or any(map(str.strip, typed))

    @property
    def night(self) -> str:
        """The decision of the night."""
        return self.decision or self.report.recommendation.decision

    def hour(self, hour: int) -> str:
        """Return the decision of an hour; untouched it is that of a night not accepted."""
        recommended = self.hours[hour].recommendation.decision
        return self.chosen.get(hour) or (recommended if self.night in _ACCEPTING else self.night)

    def is_accepted(self, hour: Place) -> bool:
        """Whether an hour is to be accepted; None: the night."""
        if hour is None:
            return self.night in _ACCEPTING
        return hour in self.hours and self.hour(hour) in _ACCEPTING

    def offered(self, hour: int) -> tuple[str, ...]:
        """Return the promotion classes that an hour can be given as things stand."""
        return self.hours[hour].promotion.classes if self.is_accepted(hour) else ()

    def promotion(self, hour: int) -> str | None:
        """Return the promotion class of an hour, if it can be given and was chosen."""
        chosen = self.classes.get(hour)
        return chosen if chosen in self.offered(hour) else None

    def needs(self, item: Item) -> bool:
        """Whether a check cannot be signed without a reason, as things stand."""
        return item.fails and self.is_accepted(item.hour)

    def written(self) -> tuple[Item, ...]:
        """Return what has a reason."""
        return tuple(item for items in self.items.values() for item in items if self._text(item))

    def left_out(self) -> tuple[Item, ...]:
        """Return what has a reason that is no exception: only a night with exceptions has any."""
        return () if self.night == EXCEPTIONS else self.written()

    @property
    def is_confirmed(self) -> bool:
        """Whether the reviewer said of just this that it is decided."""
        return self._confirmed is not None and self._confirmed == self._decided()

    def confirm(self, *, yes: bool) -> None:
        """Hear whether it is decided; holds until anything of it changes."""
        self._confirmed = self._decided() if yes else None

    def arguments(self) -> dict[str, Any]:
        """Return what ``lab.qa.sign`` is given, without the reviewer."""
        hours = {
            hour: {"decision": self.hour(hour), "promotion": self.promotion(hour)}
            for hour in self.hours
        }
        exceptions = [
            {"check": item.check, "hour": item.hour, "reason": self._text(item)}
            for item in self.written()
            if self.night == EXCEPTIONS
        ]
        return {
            "decision": self.night,
            "reason": self.reason.strip(),
            "notes": self.notes.strip(),
            "corrects": self.corrects,
            "hours": hours,
            "exceptions": exceptions,
        }

    def lacking(self) -> list[str]:
        """Say what the decisions lack; where nothing, `arguments` keep the rules of signing."""
        written = {item.key for item in self.written()}
        return [
            *self._of_night(bool(written)),
            *(line for hour in self.items for line in self._of_place(hour, written)),
        ]

    def _of_night(self, has_any: bool) -> Iterator[str]:
        night = self.night
        accepted = [hour for hour in self.hours if self.is_accepted(hour)]
        if night in _ACCEPTING and self.hours and not accepted:
            yield f"The night is to be told “{night}”, and none of its hours is accepted."
        if night not in _ACCEPTING and accepted:
            yield f"The night is to be told “{night}”, and {_hours(accepted)} accepted."
        if night == EXCEPTIONS and not has_any:
            yield (
                f"“{EXCEPTIONS}” names at least one exception: write a reason beside a check, or "
                f"choose “{ACCEPT}” for the night."
            )
        excepted = [hour for hour in accepted if self.hour(hour) == EXCEPTIONS]
        if night == ACCEPT and excepted:
            yield f"{_hours(excepted)} accepted with exceptions, so the night is too: choose that."
        beside = [item for item in self.written() if self.is_accepted(item.hour)]
        if night == ACCEPT and beside and not excepted:
            yield f"A reason stands beside {_names(beside)}, so the night has exceptions."

    def _of_place(self, hour: Place, written: Set[tuple[Place, str]]) -> Iterator[str]:
        items = self.items[hour]
        missing = [item for item in items if self.needs(item) and item.key not in written]
        if missing:
            other = "the night" if hour is None else "the hour"
            yield (
                f"{_names(missing)}: it fails; write beside it why it is accepted nevertheless, "
                f"or do not accept {other}."
            )
        if hour is None or not self.is_accepted(hour) or self.night != EXCEPTIONS:
            return
        decision, has = self.hour(hour), any(item.key in written for item in items)
        if decision == ACCEPT and has:
            yield f"In {hour:02d} h a reason stands beside a check: choose “{EXCEPTIONS}”."
        if decision == EXCEPTIONS and not has and not missing:
            yield (
                f"{hour:02d} h is to be accepted with exceptions, and none is written: write a "
                f"reason beside a check, or choose “{ACCEPT}”."
            )

    def _decided(self) -> object:
        told = self.arguments()
        excepted = [(one["check"], one["hour"]) for one in told["exceptions"]]
        return id(self.report), told["decision"], told["hours"], excepted, self.corrects

    def _text(self, item: Item) -> str:
        return self.reasons.get(item.key, "").strip()


def _hours(hours: Sequence[int]) -> str:
    told = ", ".join(f"{hour:02d}" for hour in hours)
    return f"{told} h is" if len(hours) == 1 else f"{told} h are"


def _names(items: Sequence[Item]) -> str:
    return ", ".join(item.name for item in items)
