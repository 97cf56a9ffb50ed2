"""A night read again: its rows as they are now, and recorded thresholds run once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contimg_lab.analysis.checks import run_checks
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.services._context import Context
from contimg_lab.services.night_columns import NightRead, read_night
from contimg_lab.thresholds import packaged_thresholds

__all__ = ["NightAgain", "evidence_again", "night_again"]


@dataclass(frozen=True, slots=True)
class NightAgain:
    """One night as it is now."""

    read: NightRead

    @property
    def evidence(self) -> Evidence:
        """Every row that its report stands on."""
        return self.read.evidence

    def results(self, thresholds: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run every check with recorded values, and return the outcomes as JSON has them.

        Parameters
        ----------
        thresholds
            ``name`` and ``values``, as a report or an entry records them.

        Raises
        ------
        ConfigError
            A name that this version has no threshold of.
        """
        origin = f"the recorded set {thresholds.get('name')}"
        limits = packaged_thresholds().replaced(thresholds["values"], origin=origin)
        return [one.to_json() for one in run_checks(self.read.night, limits)]


async def night_again(
    context: Context, night: str, as_of_unix_s: float | None = None
) -> NightAgain:
    """Read a night again, as of a recorded moment; raises as `read_night`."""
    return NightAgain(await read_night(context, night, as_of_unix_s))


async def evidence_again(context: Context, night: str) -> Evidence:
    """Read the rows again that a night's report stands on; raises as `read_night`."""
    return (await read_night(context, night)).evidence
