"""The simulated sky: positions, names, NVSS-like fluxes and the planted variables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from contimg_lab.demo.season import Season, stream
from contimg_lab.demo.sky import Array
from contimg_lab.demo.truth import PlantedSource

__all__ = ["STRIP_RA_DEG", "Sky", "Variable", "iau_name", "make_sky"]

STRIP_RA_DEG = (346.0, 30.0)
"""Right ascensions of the first and the last tile; the strip crosses 0 h between them."""
_FAINTEST_JY, _BRIGHTEST_JY, _COUNTS_SLOPE = 0.022, 1.1, 0.9
_BEYOND_DEG = 0.5
_HALF_HEIGHT_DEG = 1.0
_BRIGHT_JY = (0.62, 3.1, 1.9, 1.3)  # the first stands at RA exactly 0

_KINDS: tuple[tuple[str, bool], ...] = (
    ("flare", False), ("flare", False), ("flare", True),
    ("periodic", False), ("periodic", False), ("periodic", True),
    ("ese", False), ("ese", False),
    ("trend", False), ("trend", False), ("trend", True),
    ("transient", False), ("transient", False),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """How one source varies: its kind and the parameters of its light curve."""

    kind: str
    parameters: Mapping[str, float]
    marginal: bool = False

    def factor(self, mjd: Array) -> Array:
        """Flux over base flux at these times; of a transient, over its first flux."""
        p = self.parameters
        if self.kind == "flare":
            since = mjd - p["peak_mjd"]
            scale = np.where(since < 0, -p["rise_d"], p["decay_d"])
            return 1.0 + p["amplitude"] * np.exp(-since / scale)
        if self.kind == "periodic":
            return 1.0 + p["amplitude"] * np.sin(
                2.0 * math.pi * (mjd - p["zero_mjd"]) / p["period_d"]
            )
        if self.kind == "ese":
            off = np.abs(mjd - p["centre_mjd"])
            half = p["width_d"] / 2.0
            edge = p["edge"] * np.exp(-0.5 * ((off - half) / 0.6) ** 2)
            return np.where(off < half, 1.0 - p["depth"], 1.0) + edge
        if self.kind == "trend":
            half = p["span_d"] / 2.0
            return 1.0 + p["slope_per_day"] * np.clip(mjd - p["middle_mjd"], -half, half)
        day = mjd - p["on_mjd"]
        second = np.where((day >= 1.0) & (day < 2.0), p["second"], 0.0)
        return np.where((day >= 0.0) & (day < 1.0), 1.0, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """All sources, as arrays in one order.

    Attributes
    ----------
    names, ra_deg, dec_deg
        Identity and place; the first source stands at RA exactly 0.
    base_jy
        Flux of a source that does not vary (Jy); of a transient, its first flux.
    nvss_mjy
        Catalogued flux (mJy), NaN where the source is in no catalogue.
    extent
        Integrated over peak flux: 1 for a point source.
    variables
        Position in the arrays, and how that source varies.
    """

    names: list[str]
    ra_deg: Array
    dec_deg: Array
    base_jy: Array
    nvss_mjy: Array
    extent: Array
    variables: Mapping[int, Variable] = field(default_factory=dict)

    def flux_jy(self, which: np.ndarray, mjd: Array) -> Array:
        """True flux (Jy) of sources `which` at times `mjd`."""
        flux: Array = self.base_jy[which]
        for index, variable in self.variables.items():
            rows = np.flatnonzero(which == index)
            if rows.size:
                flux[rows] *= variable.factor(mjd[rows])
        return flux

    def planted(self, nights_mjd: Array) -> list[PlantedSource]:
        """Every source with what was planted in it; means are over these times."""
        found = []
        for index, name in enumerate(self.names):
            variable = self.variables.get(index)
            mean = float(self.base_jy[index])
            if variable is not None:
                mean *= float(np.mean(variable.factor(nights_mjd)))
            nvss = float(self.nvss_mjy[index])
            found.append(
                PlantedSource(
                    source_id=name,
                    kind=variable.kind if variable else "constant",
                    parameters=dict(variable.parameters) if variable else {},
                    ra_deg=float(self.ra_deg[index]),
                    dec_deg=float(self.dec_deg[index]),
                    mean_flux_jy=mean,
                    nvss_flux_mjy=None if math.isnan(nvss) else nvss,
                    marginal=variable.marginal if variable else False,
                )
            )
        return sorted(found, key=lambda source: source.source_id)


def iau_name(ra_deg: float, dec_deg: float, prefix: str = "NVSS") -> str:
    """Name of a source from its position, truncated to whole seconds as the IAU asks.

    Examples
    --------
    >>> iau_name(0.0, 16.2867)
    'NVSS J000000+161712'
    """
    seconds = int(ra_deg * 240.0 + 1e-6) % 86400
    arcsec = int(abs(dec_deg) * 3600.0 + 1e-6)
    sign = "-" if dec_deg < 0 else "+"
    return (
        f"{prefix} J{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
        f"{sign}{arcsec // 3600:02d}{arcsec // 60 % 60:02d}{arcsec % 60:02d}"
    )


def make_sky(season: Season, nights_mjd: Array, blind_nights: frozenset[int]) -> Sky:
    """Draw the sky of a season.

    Parameters
    ----------
    season
        Gives the number of sources, the declination and the seed.
    nights_mjd
        Middle of each night's passage of the strip.
    blind_nights
        Nights without images: no transient may shine in them alone.
    """
    count = season.n_sources
    place, bright = stream(season, "positions"), stream(season, "fluxes")
    width = (STRIP_RA_DEG[1] - STRIP_RA_DEG[0]) % 360.0 + 2.0 * _BEYOND_DEG
    ra = (STRIP_RA_DEG[0] - _BEYOND_DEG + width * place.random(count)) % 360.0
    dec = season.dec_deg + _HALF_HEIGHT_DEG * place.uniform(-1.0, 1.0, count)
    ra[0], dec[0] = 0.0, season.dec_deg + 0.0267
    nvss = np.minimum(
        _FAINTEST_JY * (1.0 - bright.random(count)) ** (-1.0 / _COUNTS_SLOPE), _BRIGHTEST_JY
    )
    nvss[: len(_BRIGHT_JY)] = _BRIGHT_JY

    variables: dict[int, Variable] = {}
    which = stream(season, "variables")
    chosen = which.permutation(np.arange(len(_BRIGHT_JY), count))[: len(_KINDS)]
    for number, (index, (kind, marginal)) in enumerate(zip(chosen, _KINDS, strict=True)):
        draw = stream(season, "variable", number)
        nvss[index] = 10.0 ** draw.uniform(-0.6, 0.1)
        parameters = _parameters(kind, marginal, draw, nights_mjd, blind_nights)
        variables[int(index)] = Variable(kind=kind, parameters=parameters, marginal=marginal)

    base = nvss * np.exp(stream(season, "catalogue").normal(0.0, 0.04, count))
    catalogued = nvss * 1000.0
    for index, variable in variables.items():
        if variable.kind == "transient":
            base[index], catalogued[index] = min(nvss[index], 0.5), math.nan
    extent = 1.0 + 0.06 * stream(season, "extent").random(count) ** 2
    names = _unique_names(ra, dec, np.isnan(catalogued))
    return Sky(
        names=names, ra_deg=ra, dec_deg=dec, base_jy=base, nvss_mjy=catalogued,
        extent=extent, variables=dict(sorted(variables.items())),
    )  # fmt: skip


def _parameters(
    kind: str, marginal: bool, draw: np.random.Generator, nights: Array, blind: frozenset[int]
) -> dict[str, float]:
    first, span = float(nights[0]), float(nights[-1] - nights[0])
    at = first + span * draw.uniform(0.3, 0.7)
    if kind == "flare":
        amplitude = 0.12 if marginal else draw.uniform(1.0, 2.2)
        return {"peak_mjd": at, "amplitude": amplitude, "rise_d": 0.4, "decay_d": 0.1 * span}
    if kind == "periodic":
        amplitude = 0.06 if marginal else draw.uniform(0.3, 0.45)
        return {
            "zero_mjd": at,
            "amplitude": amplitude,
            "period_d": span * draw.uniform(0.17, 0.36),
        }
    if kind == "ese":
        depth, edge = draw.uniform(0.4, 0.55), draw.uniform(0.25, 0.4)
        return {"centre_mjd": at, "width_d": 0.25 * span, "depth": depth, "edge": edge}
    if kind == "trend":
        change = 0.1 if marginal else draw.uniform(0.7, 1.1)
        return {
            "middle_mjd": first + span / 2.0,
            "slope_per_day": change / span,
            "span_d": span,
        }
    pairs = [k for k in range(1, len(nights) - 2) if not {k, k + 1} & blind]
    on = float(nights[pairs[int(draw.integers(len(pairs)))]]) - 0.5
    return {"on_mjd": on, "second": draw.uniform(0.5, 0.8)}


def _unique_names(ra: Array, dec: Array, uncatalogued: np.ndarray) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for index in range(len(ra)):
        prefix = "DSA" if uncatalogued[index] else "NVSS"
        name = iau_name(float(ra[index]), float(dec[index]), prefix)
        while name[-14:] in taken:
            dec[index] += 2.0 / 3600.0
            name = iau_name(float(ra[index]), float(dec[index]), prefix)
        taken.add(name[-14:])
        names.append(name)
    return names
