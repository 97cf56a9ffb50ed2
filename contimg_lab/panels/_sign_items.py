"""Rows of the sign-off form: what a check warns of or fails in an hour, or of the night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contimg_lab.records.qa import Outcome
    from contimg_lab.services.night_report import NightReport

__all__ = ["Item", "Place", "items_of", "place"]

Place = int | None
"""A UTC hour; None: the night as a whole."""


@dataclass(frozen=True, slots=True)
class Item:
    """What one check warns of or fails in one hour, or of the night: it may be excepted.

    ``outcomes`` has the failing ones first; ``fails``: without a reason it is not accepted.
    """

    hour: Place
    check: str
    outcomes: tuple[Outcome, ...]

    @property
    def key(self) -> tuple[Place, str]:
        """What it is known by."""
        return self.hour, self.check

    @property
    def fails(self) -> bool:
        """Whether anything of it fails."""
        return self.outcomes[0].word == "fail"

    @property
    def name(self) -> str:
        """Its check and where, in words."""
        return f"{self.check} {place(self.hour)}"


def place(hour: Place) -> str:
    """Say of what: an hour or the whole night."""
    return "of the whole night" if hour is None else f"in {hour:02d} h"


def items_of(report: NightReport) -> dict[Place, tuple[Item, ...]]:
    """Return what warns or fails, by hour; None: of the whole night. Failing ones come first."""
    found: dict[Place, dict[str, list[Outcome]]] = {None: {}}
    found |= {one.hour: {} for one in report.judged}
    for one in report.outcomes:
        if one.word in ("fail", "warn"):
            found.setdefault(one.hour, {}).setdefault(one.check, []).append(one)
    return {
        hour: tuple(
            sorted(
                (
                    Item(hour, check, tuple(sorted(told, key=lambda one: one.word != "fail")))
                    for check, told in checks.items()
                ),
                key=lambda item: not item.fails,
            )
        )
        for hour, checks in found.items()
    }
