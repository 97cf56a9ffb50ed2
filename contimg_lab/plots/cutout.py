"""A cut-out of an image in grey: offsets on the sky, beam, and the sources of the database."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["CutoutLike", "cutout_words", "place_words", "plot_cutout"]

_DARK_SIGMA, _LIGHT_SIGMA = 3.0, 10.0
_MOST_NAMES = 6
_MOST_DRAWN_PX = 800


class CutoutLike(Protocol):
    """What a cut-out must have to be drawn; see `contimg_lab.services.images.Cutout`."""

    @property
    def file(self) -> Path:
        """File that it is from."""

    @property
    def data(self) -> NDArray[np.float32]:
        """Pixels, row 0 lowest; NaN outside of the image."""

    @property
    def unit(self) -> str:
        """Of the pixels."""

    @property
    def ra_deg(self) -> float:
        """Right ascension that offsets are from."""

    @property
    def dec_deg(self) -> float:
        """Declination that offsets are from."""

    @property
    def x_px(self) -> float:
        """Where that is in the pixels."""

    @property
    def y_px(self) -> float:
        """Where that is in the pixels."""

    @property
    def arcsec_per_px(self) -> NDArray[np.float64]:
        """Offsets to the east and north (rows) of a step in x and y (columns)."""

    @property
    def noise_jy(self) -> float | None:
        """Noise, Jy/beam."""

    @property
    def beam_major_arcsec(self) -> float | None:
        """Major axis of the beam (FWHM)."""

    @property
    def beam_minor_arcsec(self) -> float | None:
        """Minor axis of the beam (FWHM)."""

    @property
    def beam_pa_deg(self) -> float | None:
        """Position angle of the beam, east of north."""

    @property
    def source_ids(self) -> tuple[str, ...]:
        """Sources inside."""

    @property
    def source_x_px(self) -> NDArray[np.float64]:
        """Where they are in the pixels."""

    @property
    def source_y_px(self) -> NDArray[np.float64]:
        """Where they are in the pixels."""


def plot_cutout(cutout: CutoutLike, ax: Axes | None = None, *, source: str | None = None) -> Axes:
    """Draw a cut-out with its beam (lower left) and its sources (rings).

    Dark is bright, from 3 times the noise below zero up to the brightest pixel, at least 10
    times the noise above it, on a scale that is linear up to that and logarithmic beyond.
    Pixels outside of the image are hatched. What has more pixels than can be seen is drawn as
    means over squares of them.

    Parameters
    ----------
    cutout
        The cut-out.
    ax
        Axes to draw on; new ones where there are none.
    source
        Name of the source to ring, where it is one of those inside.

    Returns
    -------
    Axes
        The axes: offsets to the east (leftwards) and north, arcmin.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Affine2D

    axes = ensure_axes(ax, (5.2, 4.6))
    values, unit, noise = _shown(cutout)
    rows, columns = values.shape
    binned, each = _binned(values)
    step = np.asarray(cutout.arcsec_per_px) / 60.0
    to_sky = Affine2D().translate(-cutout.x_px, -cutout.y_px) + Affine2D(
        np.vstack([np.column_stack([step, np.zeros(2)]), [0.0, 0.0, 1.0]])
    )
    corners = to_sky.transform([(x, y) for x in (-0.5, columns - 0.5) for y in (-0.5, rows - 0.5)])
    axes.set_aspect("equal")
    axes.set_xlabel("Offset east (arcmin)")
    axes.set_ylabel("Offset north (arcmin)")
    axes.set_title(f"{cutout.file.name}\n{_place(cutout)}", fontsize="medium")
    known = np.isfinite(values)
    if not known.any():
        write_empty(axes, "no pixel here has a value")
        return axes
    if not known.all():
        axes.add_patch(
            Rectangle(
                (-0.5, -0.5), columns, rows, transform=to_sky + axes.transData, zorder=0,
                facecolor="white", hatch="///", edgecolor=COLOURS["grey"], lw=0.0,
            )
        )  # fmt: skip
    picture = axes.imshow(
        binned, origin="lower", cmap="gray_r", norm=_scale(values, noise),
        interpolation="nearest", transform=to_sky + axes.transData, zorder=1, aspect="equal",
        extent=(-0.5, each * binned.shape[1] - 0.5, -0.5, each * binned.shape[0] - 0.5),
    )  # fmt: skip
    # imshow has set the limits to those of its pixels
    axes.set_xlim(float(corners[:, 0].max()), float(corners[:, 0].min()))
    axes.set_ylim(float(corners[:, 1].min()), float(corners[:, 1].max()))
    figure: Any = axes.figure
    bar = figure.colorbar(picture, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(f"Brightness ({unit or 'unit not recorded'})")
    _draw_sources(axes, to_sky, cutout, source)
    _draw_beam(axes, cutout)
    return axes


def cutout_words(cutout: CutoutLike, source: str | None = None) -> str:
    """Say in one sentence or two what `plot_cutout` shows, as its alternative text."""
    values, unit, noise = _shown(cutout)
    rows, columns = values.shape
    known = values[np.isfinite(values)]
    told = [f"{columns} by {rows} pixels of {cutout.file.name} around {_place(cutout)}"]
    if known.size:
        low, high = float(known.min()), float(known.max())
        told.append(f"brightness {low:.3g} to {high:.3g} {unit}".rstrip())
    if known.size < values.size:
        told.append(f"{values.size - known.size} pixels without a value")
    told.append(f"noise {noise:.3g} {unit}" if noise is not None else "noise not recorded")
    told.append(_beam_words(cutout) or "beam not recorded")
    names = cutout.source_ids
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    listed = ", ".join(names[:_MOST_NAMES]) + more
    told.append(f"{_count(len(names))}{': ' + listed if names else ''}")
    if source is not None:
        told.append(f"{source} {'is ringed' if source in names else 'is not inside'}")
    each = _binned(values)[1]
    if each > 1:
        told.append(f"drawn as means of {each} by {each} pixels")
    return f"{'; '.join(told)}."


def _shown(cutout: CutoutLike) -> tuple[NDArray[np.float64], str, float | None]:
    """Pixels, their unit and the noise in it; Jy are shown as mJy."""
    values = np.asarray(cutout.data, np.float64)
    if cutout.unit == "Jy/beam":
        noise = None if cutout.noise_jy is None else cutout.noise_jy * 1e3
        return values * 1e3, "mJy/beam", noise
    if cutout.unit == "mJy/beam" and cutout.noise_jy is not None:
        return values, cutout.unit, cutout.noise_jy * 1e3
    return values, cutout.unit, None


def _binned(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Means over squares of pixels, as wide as it takes to be seen, and that width."""
    each = math.ceil(max(values.shape) / _MOST_DRAWN_PX)
    if each <= 1:
        return values, 1
    wide = [(0, -size % each) for size in values.shape]
    padded = np.pad(values, wide, constant_values=np.nan)
    rows, columns = padded.shape
    squares = padded.reshape(rows // each, each, columns // each, each)
    known = np.isfinite(squares)
    count = known.sum(axis=(1, 3))
    total = np.where(known, squares, 0.0).sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), each


def _scale(values: NDArray[np.float64], noise: float | None) -> Any:
    from matplotlib.colors import Normalize, SymLogNorm

    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    if noise is None:
        return Normalize(low, high if high > low else low + 1.0)
    light = _LIGHT_SIGMA * noise
    if high <= light:
        return Normalize(-_DARK_SIGMA * noise, light)
    return SymLogNorm(light, linscale=1.0, vmin=-_DARK_SIGMA * noise, vmax=high)


def _draw_sources(ax: Axes, to_sky: Any, cutout: CutoutLike, source: str | None) -> None:
    if not cutout.source_ids:
        return
    places = to_sky.transform(np.column_stack([cutout.source_x_px, cutout.source_y_px]))
    many = len(places) > _MOST_NAMES
    ax.plot(
        places[:, 0], places[:, 1], ls="", marker="o", ms=10 if many else 22, mfc="none", mew=1.4,
        color=COLOURS["vermilion"], label=_count(len(places)), zorder=3,
    )  # fmt: skip
    named = list(zip(cutout.source_ids, places.tolist(), strict=True))
    if source in cutout.source_ids:
        chosen = next(item for item in named if item[0] == source)
        ax.plot(
            *chosen[1], ls="", marker="o", ms=30, mfc="none", mew=2.2, color=COLOURS["blue"],
            label=f"chosen: {source}", zorder=4,
        )  # fmt: skip
        named = [chosen] if many else named
    elif many:
        return
    left, right = ax.get_xlim()
    for name, (x, y) in named:
        # towards the middle, so that no name leaves the axes
        side = 1 if x > (left + right) / 2.0 else -1
        ax.annotate(
            name, (x, y), xytext=(18 * side, 0), textcoords="offset points", fontsize="small",
            ha="left" if side > 0 else "right", va="center", zorder=4,
            color=COLOURS["blue" if name == source else "vermilion"],
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def _draw_beam(ax: Axes, cutout: CutoutLike) -> None:
    from matplotlib.patches import Ellipse

    major, minor = cutout.beam_major_arcsec, cutout.beam_minor_arcsec
    words = _beam_words(cutout)
    if major is None or minor is None or words is None:
        return
    left, right = ax.get_xlim()
    low, high = ax.get_ylim()
    pad = max(major / 60.0 * 0.8, 0.035 * (high - low))
    x, y = left - math.copysign(pad, left - right), low + pad
    ax.add_patch(
        Ellipse(
            (x, y), minor / 60.0, major / 60.0, angle=-(cutout.beam_pa_deg or 0.0),
            facecolor=COLOURS["sky"], edgecolor=COLOURS["black"], lw=1.0, zorder=5, label=words,
        )
    )  # fmt: skip
    ax.text(
        x - math.copysign(pad, left - right), y, words, fontsize="small", va="center", zorder=5,
        color=COLOURS["black"],
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0},
    )  # fmt: skip


def _beam_words(cutout: CutoutLike) -> str | None:
    if cutout.beam_major_arcsec is None or cutout.beam_minor_arcsec is None:
        return None
    angle = "" if cutout.beam_pa_deg is None else f", PA {cutout.beam_pa_deg:.0f}°"
    return f"beam {cutout.beam_major_arcsec:.1f}″ × {cutout.beam_minor_arcsec:.1f}″{angle}"


def _count(n: int) -> str:
    return f"{n} source{'' if n == 1 else 's'} of the database"


def _place(cutout: CutoutLike) -> str:
    return place_words(cutout.ra_deg, cutout.dec_deg)


def place_words(ra_deg: float, dec_deg: float) -> str:
    """Write a place in hours and degrees, to a tenth of a second and an arcsecond."""
    tenths = round(ra_deg % 360.0 * 2400.0) % 864000
    arcsec = round(abs(dec_deg) * 3600.0)
    sign = "-" if dec_deg < 0.0 else "+"
    return (
        f"RA {tenths // 36000:02d}h{tenths // 600 % 60:02d}m{tenths % 600 / 10.0:04.1f}s, "
        f"Dec {sign}{arcsec // 3600:02d}°{arcsec // 60 % 60:02d}′{arcsec % 60:02d}″"
    )
