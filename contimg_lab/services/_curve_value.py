"""What every curve of one source and every result of work on it has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services.light_curve import Excluded

__all__ = [
    "Curve",
    "Floats",
    "Result",
    "Timed",
    "brief_unit",
    "flux_unit",
    "square_unit",
    "table",
    "timed",
    "times_told",
]

Floats = NDArray[np.float64]


class Curve(Protocol):
    """Flux density against time of one source: a light curve, or one that was binned."""

    @property
    def source_id(self) -> str:
        """Name in the catalogue."""

    @property
    def ra_deg(self) -> float:
        """Right ascension, degrees."""

    @property
    def dec_deg(self) -> float:
        """Declination, degrees."""

    @property
    def mjd(self) -> Floats:
        """Times, MJD (UTC); NaN where unknown."""

    @property
    def time_source(self) -> NDArray[np.object_]:
        """Where each time came from."""

    @property
    def flux_jy(self) -> Floats:
        """Flux densities, Jy."""

    @property
    def flux_err_jy(self) -> Floats:
        """Their errors, Jy."""

    @property
    def flux_column(self) -> NDArray[np.object_]:
        """``flux_jy`` or ``peak_jyb``, of each epoch."""

    @property
    def is_detection(self) -> NDArray[np.bool_]:
        """Flux at least 3 of its errors."""

    @property
    def flux_unit(self) -> str:
        """Unit of the fluxes."""

    @property
    def excluded(self) -> Excluded:
        """Epochs left out."""


class Result:
    """A result of work on a light curve: equal to itself alone, its arrays not to be written to."""

    __slots__ = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        for one in fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


class Timed(NamedTuple):
    """Epochs whose time is known; each array has shape (k,), in the curve's order."""

    mjd: Floats
    flux_jy: Floats
    flux_err_jy: Floats
    known: NDArray[np.bool_]
    n_untimed: int


def timed(curve: Curve) -> Timed:
    """Epochs of a curve that have a time; ``known`` tells which of all epochs they are."""
    known = np.isfinite(curve.mjd)
    return Timed(
        curve.mjd[known],
        curve.flux_jy[known],
        curve.flux_err_jy[known],
        known,
        int(np.sum(~known)),
    )


def flux_unit(is_peak: NDArray[np.bool_]) -> str:
    """Unit of fluxes of which some, all or none are peaks."""
    if not is_peak.any():
        return "Jy"
    return "Jy/beam" if is_peak.all() else "Jy or Jy/beam (see flux_column)"


def brief_unit(unit: str) -> str:
    """Unit for a line of text: ``Jy`` also where some fluxes are peaks."""
    return "Jy/beam" if unit == "Jy/beam" else "Jy"


def square_unit(unit: str) -> str:
    """Unit of squared fluxes."""
    squares = {"Jy": "Jy^2", "Jy/beam": "(Jy/beam)^2"}
    return squares.get(unit, "Jy^2 or (Jy/beam)^2 (see flux_column)")


def table(
    data: Mapping[str, Any], units: Mapping[str, str], result: Any, *names: str
) -> pd.DataFrame:
    """Make a DataFrame whose ``attrs`` hold units, the source, and what else is named."""
    import pandas as pd

    made = pd.DataFrame(dict(data))
    made.attrs = {"units": {name: unit for name, unit in units.items() if name in made}}
    made.attrs |= {name: getattr(result, name) for name in ("source_id", *names)}
    origin = getattr(getattr(result, "curve", result), "provenance", None)
    if origin is not None:
        made.attrs["provenance"] = origin.told() | {"then": type(result).__name__}
    return made


def times_told(curve: Curve, n_untimed: int) -> str:
    """Say in a line what is wrong with the times, or nothing."""
    late = int(np.sum(curve.time_source == "measured_at"))
    said = [f"{n_untimed} epochs without a time left out"] if n_untimed else []
    if late:
        said.append(f"{late} epochs timed by when they were measured, not observed")
    return "; ".join(said)
