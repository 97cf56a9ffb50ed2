"""The units in which panels write fluxes and positions: one choice for a whole Lab."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import ClassVar

from contimg_lab.errors import InvalidInput

__all__ = ["FLUX_UNITS", "POSITION_FORMS", "Units"]

FLUX_UNITS: Mapping[str, float] = {"mJy": 1e3, "Jy": 1.0, "uJy": 1e6}
"""Flux units by name: how many of them make one jansky."""

POSITION_FORMS = ("deg", "sexagesimal")
"""How a position can be written."""

_log = logging.getLogger(__name__)


class Units:
    """How fluxes and positions are written in every panel; ``lab.view.units``.

    Nothing but the writing changes: tables sort by the same numbers, and what `to_pandas` and
    exports give stays in Jy and degrees.

    Attributes
    ----------
    flux
        A key of `FLUX_UNITS`: mJy, Jy or uJy.
    positions
        One of `POSITION_FORMS`: deg or sexagesimal.

    Examples
    --------
    >>> from contimg_lab.units import Units
    >>> units = Units()
    >>> units.observe(lambda: print(units))
    >>> units.flux = "Jy"
    Units(flux='Jy', positions='deg')
    >>> units.choose(flux="uJy", positions="sexagesimal")
    Units(flux='uJy', positions='sexagesimal')
    """

    fields: ClassVar[tuple[str, ...]] = ("flux", "positions")

    def __init__(self) -> None:
        self._now = {"flux": "mJy", "positions": "deg"}
        self._observers: list[Callable[[], None]] = []

    @property
    def flux(self) -> str:
        """Unit of fluxes."""
        return self._now["flux"]

    @flux.setter
    def flux(self, value: str) -> None:
        self.choose(flux=value)

    @property
    def positions(self) -> str:
        """Form of positions."""
        return self._now["positions"]

    @positions.setter
    def positions(self, value: str) -> None:
        self.choose(positions=value)

    def choose(self, **values: str) -> None:
        """Choose one or both at once.

        Raises
        ------
        InvalidInput
            There is no such unit or form.
        """
        for name, value in values.items():
            known = {"flux": tuple(FLUX_UNITS), "positions": POSITION_FORMS}.get(name)
            if known is None:
                raise InvalidInput(f"units have no {name!r}; they have flux and positions")
            if value not in known:
                raise InvalidInput(f"{name} cannot be {value!r}; it is one of {', '.join(known)}")
        now = {**self._now, **values}
        if now == self._now:
            return
        self._now = now
        for callback in tuple(self._observers):
            try:
                callback()
            except Exception:
                _log.exception("an observer of the units failed")

    def observe(self, callback: Callable[[], None]) -> None:
        """Call a function without arguments whenever a unit changes; what it raises is logged."""
        self.unobserve(callback)
        self._observers.append(callback)

    def unobserve(self, callback: Callable[[], None]) -> None:
        """Stop calling a function; one that does not observe is no error."""
        self._observers[:] = [held for held in self._observers if held != callback]

    def to_dict(self) -> dict[str, str]:
        """Return both, ready for JSON and for ``choose(**...)``."""
        return dict(self._now)

    def __repr__(self) -> str:
        return f"Units(flux={self.flux!r}, positions={self.positions!r})"
