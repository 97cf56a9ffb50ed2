"""Columns and words of fluxes and positions, in the units that the whole Lab shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from contimg_lab.analysis.positions import sexagesimal
from contimg_lab.panels._rows import Column, Values, numbers
from contimg_lab.panels._words import MISSING, number
from contimg_lab.units import FLUX_UNITS, Units

__all__ = ["UnitColumns"]

_SIGNS = {"uJy": "µJy"}
_NO_FLUX = "not measured"
_NO_POSITION = "its position is not known"


class UnitColumns:
    """What a panel writes fluxes and positions with: ``self._units``.

    Values stay in Jy and degrees: a table sorts by them, whatever the header says.

    Parameters
    ----------
    units
        What is chosen; None: mJy and degrees.

    Examples
    --------
    >>> from contimg_lab.panels._units import UnitColumns
    >>> from contimg_lab.units import Units
    >>> units = Units()
    >>> shown = UnitColumns(units)
    >>> column = shown.flux("mean", [0.0123, None])
    >>> column.title, list(column.texts)
    ('mean (mJy)', ['12.30', '-'])
    >>> units.choose(flux="Jy", positions="sexagesimal")
    >>> shown.flux("mean", [0.0123]).title, shown.flux_words(0.0123, 0.0004)
    ('mean (Jy)', '0.01230 ± 0.00040 Jy')
    >>> column = shown.dec([-0.5])
    >>> column.title, list(column.texts)
    ('Dec (d m s)', ['-00:30:00.0'])
    >>> shown.position_words(180.0, -0.5)
    '12:00:00.00 -00:30:00.0'
    """

    def __init__(self, units: Units | None = None) -> None:
        self._units = Units() if units is None else units

    @property
    def now(self) -> dict[str, str]:
        """What is chosen, by name."""
        return self._units.to_dict()

    @property
    def flux_unit(self) -> str:
        """The unit of fluxes as it is written: mJy, Jy or µJy."""
        return _SIGNS.get(self._units.flux, self._units.flux)

    @property
    def flux_scale(self) -> float:
        """How many of this unit make one jansky."""
        return FLUX_UNITS[self._units.flux]

    @property
    def is_sexagesimal(self) -> bool:
        """Whether positions are written in hours and degrees with minutes and seconds."""
        return self._units.positions == "sexagesimal"

    def flux(
        self,
        title: str,
        values_jy: Values,
        missing: str | Sequence[str] = _NO_FLUX,
        *,
        digits: int = 4,
        per_beam: bool = False,
    ) -> Column:
        """Return a column of fluxes.

        Parameters
        ----------
        title
            Name without a unit, which is added.
        values_jy
            Jy, or Jy/beam; None or NaN where there is none.
        missing
            Why one may be missing.
        digits
            Significant digits.
        per_beam
            Whether these are peak fluxes or noise, per beam.
        """
        scale = self.flux_scale
        unit = f"{self.flux_unit}/beam" if per_beam else self.flux_unit
        return _named(
            title,
            numbers(f"{title} ({unit})", values_jy, lambda x: number(x * scale, digits), missing),
        )

    def ra(
        self, values_deg: Values, missing: str | Sequence[str] = _NO_POSITION, title: str = "RA"
    ) -> Column:
        """Return a column of right ascensions from degrees, sorted by degree."""
        if self.is_sexagesimal:
            return _named(title, numbers(f"{title} (h m s)", values_deg, _ra_text, missing))
        return _named(title, numbers(f"{title} (deg)", values_deg, lambda x: f"{x:.4f}", missing))

    def dec(
        self, values_deg: Values, missing: str | Sequence[str] = _NO_POSITION, title: str = "Dec"
    ) -> Column:
        """Return a column of declinations from degrees, sorted by degree."""
        if self.is_sexagesimal:
            return _named(title, numbers(f"{title} (d m s)", values_deg, _dec_text, missing))
        return _named(title, numbers(f"{title} (deg)", values_deg, lambda x: f"{x:+.4f}", missing))

    def flux_words(
        self, value_jy: float | None, err_jy: float | None = None, *, digits: int = 4
    ) -> str:
        """Write one flux with its unit, and its error where there is one; Jy."""
        if value_jy is None or not math.isfinite(value_jy):
            return MISSING
        scale = self.flux_scale
        error = ""
        if err_jy is not None and math.isfinite(err_jy):
            error = f" ± {number(err_jy * scale, 2)}"
        return f"{number(value_jy * scale, digits)}{error} {self.flux_unit}"

    def position_words(self, ra_deg: float | None, dec_deg: float | None) -> str:
        """Write one position, its unit with it; degrees."""
        if ra_deg is None or dec_deg is None or not math.isfinite(ra_deg + dec_deg):
            return MISSING
        if self.is_sexagesimal:
            return sexagesimal(ra_deg, dec_deg)
        return f"{ra_deg:.4f}, {dec_deg:+.4f} deg"


def _named(name: str, column: Column) -> Column:
    """Give a column a name that stays when its unit changes, and the user's order with it."""
    return Column(
        title=column.title,
        texts=column.texts,
        sort_by=column.sort_by,
        kind=column.kind,
        missing=column.missing,
        name=name,
    )


def _ra_text(ra_deg: Any) -> str:
    return sexagesimal(float(ra_deg), 0.0).split(" ")[0]


def _dec_text(dec_deg: Any) -> str:
    return sexagesimal(0.0, float(dec_deg)).split(" ")[1]
