"""One quantity of the tile images: over many nights, with those that stand out, or over one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import AbsentFeature, InvalidInput
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Line, Points, pick

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "FLUX_RATIO_BAND",
    "SHOWN",
    "plot_tiles",
    "plot_trends",
    "tiles_chart",
    "trend_words",
    "trends_chart",
]

FLUX_RATIO_BAND = (0.8, 1.2)
"""Median flux ratios of a good epoch."""

SHOWN: dict[str, tuple[str, str, float]] = {
    "noise_jy": ("Noise", "mJy/beam", 1e3),
    "beam_major_arcsec": ("Beam, major axis", "arcsec", 1.0),
    "beam_minor_arcsec": ("Beam, minor axis", "arcsec", 1.0),
    "axis_ratio": ("Beam, axis ratio", "", 1.0),
    "dynamic_range": ("Dynamic range", "", 1.0),
    "flux_ratio": ("Flux over NVSS flux", "", 1.0),
}
"""Name, unit and factor of each quantity as it is shown."""

_LIMIT_SIGMA = 4.0
_HALF_NIGHT_D = 0.6
_MOST_NAMED = 4


def plot_trends(nightly: pd.DataFrame, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw the nightly medians of one quantity against time.

    Error bars are MAD / sqrt(n) of the night's n tiles. A night that stands out from those
    before it is a triangle that points to the side on which it does, and named with its
    deviation in the corner; nights with too few before them are hollow. Around the median of
    the nights before, the range is shaded that none of them stands out from; of the flux ratio
    the edges of a good epoch are drawn.

    Parameters
    ----------
    nightly
        From ``lab.images.nightly()``.
    quantity
        ``noise_jy``, ``beam_major_arcsec``, ``beam_minor_arcsec``, ``axis_ratio``,
        ``dynamic_range`` or ``flux_ratio``.
    ax
        Axes to draw on; new ones where there are none.

    Raises
    ------
    InvalidInput
        There is no such quantity.
    AbsentFeature
        This site's files have no column for it.
    """
    chart = trends_chart(nightly, quantity)
    return draw_chart(chart, ensure_axes(ax, (7.2, 3.6)))


def trends_chart(nightly: pd.DataFrame, quantity: str, *, shown: str | None = None) -> Chart:
    """Describe nightly medians as `plot_trends` draws them; a key is a night.

    Parameters
    ----------
    nightly, quantity
        As `plot_trends` takes them.
    shown
        Night that is looked at elsewhere: a line is drawn through it.

    Raises
    ------
    InvalidInput
        There is no such quantity.
    AbsentFeature
        This site's files have no column for it.
    """
    name, _, factor = _known(nightly, quantity)
    mjd, value = _column(nightly, "mid_mjd"), _column(nightly, quantity) * factor
    nights = tuple(map(str, nightly["night"]))
    drawn = np.isfinite(mjd) & np.isfinite(value)
    deviation = _column(nightly, f"{quantity}_deviation")
    marked, compared = _marks(nightly, quantity)
    told = (
        Column(name="night", values=nights),
        Column(name="tiles", values=_column(nightly, f"{quantity}_n")),
        Column(name="from the nights before", values=deviation, unit="σ"),
    )
    error = np.nan_to_num(_errors(nightly, quantity) * factor)
    high = deviation > 0.0
    kinds = (
        ("tile median", 0, drawn & compared & ~marked, "night"),
        ("few before", 0, drawn & ~compared, "fewer than 5 nights before"),
        ("stands out", 0, drawn & marked & high, f"high (> {_LIMIT_SIGMA:g} σ)"),
        ("stands out", 1, drawn & marked & ~high, f"low (< -{_LIMIT_SIGMA:g} σ)"),
    )
    points = tuple(
        Points(
            role=role, variant=variant, name=words, x=mjd[which], y=value[which],
            err=error[which], keys=pick(nights, which),
            columns=tuple(column.take(which) for column in told),
        )
        for role, variant, which, words in kinds
        if which.any()
    )  # fmt: skip
    through = [
        Level(role="night shown", axis="x", at=float(mjd[i]), label=f"night {shown}")
        for i in np.flatnonzero(drawn).tolist()
        if nights[i] == shown
    ]
    bands, lines = _before(nightly, quantity, factor, mjd)
    at = np.flatnonzero(drawn & marked)
    corner = [f"{nights[i][5:]}: {deviation[i]:+.1f} σ" for i in at[-_MOST_NAMED:].tolist()]
    if at.size > _MOST_NAMED:
        corner.insert(0, f"{at.size - _MOST_NAMED} more before")
    return Chart(
        name=f"nights {quantity}",
        title="",
        noun="night",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd", limits=_limits(mjd[drawn], 0.5)),
        y=_axis(quantity, value[drawn], error[drawn]),
        points=points,
        lines=lines if drawn.any() else (),
        levels=(*_good_epoch(quantity), *through) if drawn.any() else (),
        bands=bands if drawn.any() else (),
        corner=tuple(corner),
        empty="" if drawn.any() else f"no night has a {name.lower()}",
        columns=2,
        alt=trend_words(nightly, quantity),
    )


def plot_tiles(tiles: pd.DataFrame, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw one quantity of each tile image against time.

    Parameters
    ----------
    tiles
        From ``lab.images.trends()``, of one night or of some.
    quantity
        As for `plot_trends`.
    ax
        Axes to draw on; new ones where there are none.

    Raises
    ------
    InvalidInput
        There is no such quantity.
    AbsentFeature
        This site's files have no column for it.
    """
    return draw_chart(tiles_chart(tiles, quantity), ensure_axes(ax, (7.2, 3.6)))


def tiles_chart(
    tiles: pd.DataFrame,
    quantity: str,
    *,
    before: float = math.nan,
    holds: Collection[str] = (),
    source: str = "",
    selected: str | None = None,
) -> Chart:
    """Describe the tile images as `plot_tiles` draws them; a key is the path of an image.

    Parameters
    ----------
    tiles, quantity
        As `plot_tiles` takes them.
    before
        Median of the nights before, in the quantity's unit, or NaN.
    holds, source
        Paths of MS in whose images a source was measured, and its name: these wear a square.
    selected
        Path of the image to ring.

    Raises
    ------
    InvalidInput
        There is no such quantity.
    AbsentFeature
        This site's files have no column for it.
    """
    name, unit, factor = _known(tiles, quantity)
    mjd, value = _column(tiles, "mid_mjd"), _column(tiles, quantity) * factor
    paths = tuple(map(str, tiles["image_path"]))
    drawn = np.isfinite(mjd) & np.isfinite(value)
    error = np.zeros(len(value))
    told = [Column(name="image", values=tuple(path.rsplit("/", 1)[-1] for path in paths))]
    if quantity == "flux_ratio":
        n = _column(tiles, "flux_ratio_n")
        told.append(Column(name="sources", values=n))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.nan_to_num(_column(tiles, "flux_ratio_mad") / np.sqrt(n))
    points = [
        Points(
            role="tile", name="tile", x=mjd[drawn], y=value[drawn], keys=pick(paths, drawn),
            err=error[drawn] if quantity == "flux_ratio" else None,
            columns=tuple(column.take(drawn) for column in told),
        )
    ]  # fmt: skip
    seen = drawn & np.array([path in holds for path in tiles["ms_path"]], bool)
    if seen.any():
        points.append(
            Points(
                role="holds source", name=f"{source} was measured", x=mjd[seen], y=value[seen],
                keys=pick(paths, seen), overlay=True,
            )
        )  # fmt: skip
    levels = list(_good_epoch(quantity)) if drawn.any() else []
    if drawn.any():
        middle = float(np.median(value[drawn]))
        levels.append(_level("night median", middle, f"median {middle:.4g}"))
    if drawn.any() and math.isfinite(before):
        words = f"nights before {before * factor:.4g}"
        levels.append(_level("before", before * factor, words))
    return Chart(
        name=f"tiles {quantity} {' '.join(_span(tiles))}",
        noun="image",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd", limits=_limits(mjd[drawn], 0.01)),
        y=_axis(quantity, value[drawn], error[drawn]),
        points=tuple(points) if drawn.any() else (),
        levels=tuple(levels),
        empty="" if drawn.any() else f"no tile here has a {name.lower()}",
        selected=frozenset(key for key in pick(paths, drawn) if key == selected),
        columns=2,
        alt=_tile_words(tiles, name, unit, value[drawn], before, factor, int(seen.sum()), source),
    )


def trend_words(nightly: pd.DataFrame, quantity: str) -> str:
    """Say in words what `plot_trends` shows, as its alternative text; raises as that does."""
    name, unit, factor = _known(nightly, quantity)
    value = _column(nightly, quantity) * factor
    at = np.flatnonzero(np.isfinite(value) & np.isfinite(_column(nightly, "mid_mjd")))
    if not at.size:
        return f"{name} over {len(nightly)} nights: no night has one."
    nights = nightly["night"].to_numpy()
    error = _errors(nightly, quantity) * factor
    unit = f" {unit}" if unit else ""
    last = at[-1]
    told = [
        f"{name} of {at.size} nights, {nights[at[0]]} to {nights[last]}",
        f"median {np.median(value[at]):.4g}{unit}, {value[at].min():.4g} to {value[at].max():.4g}",
        f"last night {value[last]:.4g} ± {error[last]:.2g}{unit}",
    ]
    if quantity == "flux_ratio":
        low, high = FLUX_RATIO_BAND
        outside = int(((value[at] < low) | (value[at] > high)).sum())
        told.append(f"nights outside {low:g} to {high:g}: {outside}")
    marked = np.flatnonzero(_marks(nightly, quantity)[0])
    deviation = _column(nightly, f"{quantity}_deviation")
    listed = ", ".join(f"{nights[i]} ({deviation[i]:+.1f} σ)" for i in marked.tolist())
    told.append(f"nights that stand out: {listed or 'none'}")
    return f"{'; '.join(told)}."


def _tile_words(
    tiles: pd.DataFrame,
    name: str,
    unit: str,
    value: Floats,
    before: float,
    factor: float,
    n_seen: int,
    source: str,
) -> str:
    first, last = _span(tiles)
    where = f"night {first}" if first == last else f"nights {first} to {last}"
    if not value.size:
        return f"{name} of {len(tiles)} tile images, {where}: none has one."
    unit = f" {unit}" if unit else ""
    told = [
        f"{name} of {value.size} of {len(tiles)} tile images, {where}",
        f"median {np.median(value):.4g}{unit}, {value.min():.4g} to {value.max():.4g}",
    ]
    if math.isfinite(before):
        told.append(f"nights before: median {before * factor:.4g}{unit}")
    if source:
        told.append(f"{source} was measured in {n_seen}")
    return f"{'; '.join(told)}."


def _known(frame: pd.DataFrame, quantity: str) -> tuple[str, str, float]:
    if quantity not in SHOWN:
        raise InvalidInput(f"quantity {quantity!r} is none of {', '.join(SHOWN)}")
    if quantity in frame.attrs.get("absent", ()):
        raise AbsentFeature(f"this site's files have no column for {quantity}")
    return SHOWN[quantity]


def _column(frame: pd.DataFrame, name: str) -> Floats:
    found: Floats = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def _errors(nightly: pd.DataFrame, quantity: str) -> Floats:
    """MAD / sqrt(n) of each night, in the quantity's unit; NaN without a tile."""
    n = _column(nightly, f"{quantity}_n")
    with np.errstate(divide="ignore", invalid="ignore"):
        error: Floats = _column(nightly, f"{quantity}_mad") / np.sqrt(n)
    return error


def _marks(nightly: pd.DataFrame, quantity: str) -> tuple[Mask, Mask]:
    """Nights that stand out, and nights that were compared at all."""
    told = nightly[f"{quantity}_regression"]
    return told.fillna(False).to_numpy(dtype=bool), told.notna().to_numpy(dtype=bool)


def _before(
    nightly: pd.DataFrame, quantity: str, factor: float, mjd: Floats
) -> tuple[tuple[Band, ...], tuple[Line, ...]]:
    """Median of the nights before each night, and the range that none stands out from."""
    before = _column(nightly, f"{quantity}_before") * factor
    reach = _LIMIT_SIGMA * _column(nightly, f"{quantity}_before_sigma") * factor
    known = np.isfinite(before) & np.isfinite(mjd)
    if not known.any():
        return (), ()
    at, middle, far = mjd[known], before[known], reach[known]
    # half way to the next night, so that neither gaps nor seams are seen
    half = np.minimum(np.diff(at) / 2.0, _HALF_NIGHT_D)
    left, right = at - np.append(_HALF_NIGHT_D, half), at + np.append(half, _HALF_NIGHT_D)
    edges = zip(left, right, middle - far, middle + far, strict=True)
    bands = tuple(Band(role="expected", x=(x0, x1), y=(y0, y1)) for x0, x1, y0, y1 in edges)
    words = f"nights before, shaded ± {_LIMIT_SIGMA:g} σ"
    return bands, (Line(role="before", x=at, y=middle, label=words),)


def _good_epoch(quantity: str) -> tuple[Level, ...]:
    if quantity != "flux_ratio":
        return ()
    low, high = FLUX_RATIO_BAND
    return (
        _level("good epoch", low, f"{low:g} to {high:g}: a good epoch"),
        _level("good epoch", high),
    )


def _level(role: str, at: float, label: str = "") -> Level:
    return Level(role=role, axis="y", at=float(at), label=label)


def _axis(quantity: str, value: Floats, error: Floats) -> Axis:
    """Range of the points with their errors, with room for the words in the corner."""
    name, unit, _ = SHOWN[quantity]
    limits = None
    if value.size:
        good = FLUX_RATIO_BAND if quantity == "flux_ratio" else ()
        edges = np.concatenate([value - error, value + error, good])
        low, high = float(edges.min()), float(edges.max())
        limits = pad_limits(low, high, 0.12, abs(high) * 0.02 or 1e-9)
    return Axis(label=f"{name} ({unit})" if unit else name, name=name, unit=unit, limits=limits)


def _limits(mjd: Floats, least_d: float) -> tuple[float, float] | None:
    return pad_limits(float(mjd.min()), float(mjd.max()), 0.05, least_d) if mjd.size else None


def _span(tiles: pd.DataFrame) -> tuple[Any, Any]:
    nights = tiles["night"].dropna()
    return (nights.min(), nights.max()) if len(nights) else ("-", "-")
