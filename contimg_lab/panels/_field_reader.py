"""The field of the variability panel: read once for all who want it, and of one state."""

from __future__ import annotations

import asyncio
from typing import Any

from contimg_lab.panels._age import LONG_S, is_told, most_age_s
from contimg_lab.panels._field_rows import Field, field_of

__all__ = ["FieldReader"]


class FieldReader:
    """Statistics and rules of all sources of a Lab, kept until the database moves.

    Parameters
    ----------
    lab
        An open Lab.
    n_sigma, expression
        What the rules ask for, see ``lab.sources.candidates``.

    Attributes
    ----------
    is_late
        What was read last is of an earlier state, and says so.
    """

    def __init__(self, lab: Any, *, n_sigma: float, expression: str | None) -> None:
        self._lab = lab
        self._rules = {"n_sigma": n_sigma, "expression": expression}
        self._held: tuple[Any, Field] | None = None
        self._reading = asyncio.Lock()  # table and detail want the same field
        self.is_late = False

    async def read(self, *, flux_scale: bool) -> Field:
        """Return the field, with each image's flux scale corrected or as recorded."""
        async with self._reading:
            asked = (await self._lab.token(), flux_scale)
            if self._held is None or self._held[0] != asked:
                field, max_age_s = await self._read(flux_scale)
                self.is_late = is_told(field.attrs["as_of"], max_age_s)
                self._held = ((None, flux_scale) if self.is_late else asked, field)
            return self._held[1]

    async def _read(self, flux_scale: bool) -> tuple[Field, float]:
        sources = self._lab.sources
        asked = {"flux_scale": flux_scale, "max_age_s": most_age_s(self._lab)}
        statistics = await sources.variability(**asked)
        candidates = await sources.candidates(**self._rules, **asked)
        passed = candidates.attrs["as_of"] - statistics.attrs["as_of"]
        if asked["max_age_s"] > 0.0 and passed.total_seconds() > LONG_S:  # read anew in between
            statistics = await sources.variability(**asked)
        return await asyncio.to_thread(field_of, statistics, candidates), asked["max_age_s"]
