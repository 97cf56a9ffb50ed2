"""eta against V of a whole field: fits, cuts, what each rule selects, and what cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np

from contimg_lab.plots._log_axis import write_plain_ticks
from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes, pad_limits, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EtaVAxes", "count_undrawn", "plot_eta_v"]

# open markers that grow: a source that several rules select wears them one around the other
_RULE_STYLES = (
    ("D", COLOURS["vermilion"], 5.5),
    ("s", COLOURS["black"], 7.5),
    ("^", COLOURS["green"], 10.5),
    ("v", COLOURS["purple"], 10.5),
    ("h", COLOURS["orange"], 13.0),
)
_RASTER_FROM = 5000
_MARGIN_SHARE = 0.2


class EtaVAxes(NamedTuple):
    """The scatter and its two margins, as `plot_eta_v` draws them."""

    main: Axes
    eta: Axes
    v: Axes


@overload
def plot_eta_v(
    eta: ArrayLike,
    v: ArrayLike,
    *,
    fits: Mapping[str, Mapping[str, Any]] | None = ...,
    n_sigma: float = ...,
    fitted: ArrayLike | None = ...,
    rules: Mapping[str, ArrayLike] | None = ...,
    selected: int | None = ...,
    title: str = ...,
    marginals: Literal[False] = ...,
    ax: Axes | None = ...,
) -> Axes: ...


@overload
def plot_eta_v(
    eta: ArrayLike,
    v: ArrayLike,
    *,
    fits: Mapping[str, Mapping[str, Any]] | None = ...,
    n_sigma: float = ...,
    fitted: ArrayLike | None = ...,
    rules: Mapping[str, ArrayLike] | None = ...,
    selected: int | None = ...,
    title: str = ...,
    marginals: Literal[True],
    ax: Axes | None = ...,
) -> EtaVAxes: ...


def plot_eta_v(
    eta: ArrayLike,
    v: ArrayLike,
    *,
    fits: Mapping[str, Mapping[str, Any]] | None = None,
    n_sigma: float = 2.0,
    fitted: ArrayLike | None = None,
    rules: Mapping[str, ArrayLike] | None = None,
    selected: int | None = None,
    title: str = "",
    marginals: bool = False,
    ax: Axes | None = None,
) -> Axes | EtaVAxes:
    """Draw V against eta, both logarithmic, with the field's fits and cuts where they are given.

    Parameters
    ----------
    eta, v
        Shape (m,): reduced chi-squared about the weighted mean, and coefficient of variation,
        of each source.
    fits
        ``candidates().attrs["fits"]``: for ``eta`` and ``v`` the ``mean`` and ``sigma`` of
        log10, ``n_fitted``, and the ``reason`` where there is no fit. Their cuts are drawn.
    n_sigma
        How far above the fits the cuts lie, as it was asked of ``candidates``.
    fitted
        Shape (m,), yes or no: sources that the fits rest on; the others are drawn paler.
    rules
        Name of a rule to which sources it selects, shape (m,); each has a marker of its own.
    selected
        Index of the source to ring.
    title
        Title of the plot.
    marginals
        Add histograms of log10 eta above and of log10 V at the right, with the Gaussians.
    ax
        Axes to draw on; new ones where there are none. The margins stand outside of them.

    Returns
    -------
    Axes or EtaVAxes
        The axes; with ``marginals`` all three by name: ``main``, ``eta`` (above), ``v`` (right).
        Sources with no positive eta and V are counted in a corner.

    References
    ----------
    Rowlinson et al. (2019), A&C 27, 111; Swinbank et al. (2015), A&C 11, 25.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> from matplotlib.figure import Figure
    >>> with cl.demo() as lab:
    ...     found = lab.sources.candidates(n_sigma=2.0)
    >>> drawn = plot_eta_v(
    ...     found["eta"], found["v"], fits=found.attrs["fits"], n_sigma=2.0,
    ...     rules={"eta-V": found["eta_v"]}, marginals=True, ax=Figure().subplots(),
    ... )
    >>> drawn.main.get_xscale()
    'log'
    """
    axes = ensure_axes(ax, (5.8, 5.0) if marginals else (5.6, 3.8))
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    drawn = _drawable(x, y)
    base = drawn if fitted is None else drawn & np.asarray(fitted, dtype=bool)
    axes.set_xscale("log")
    axes.set_yscale("log")
    many = bool(drawn.sum() > _RASTER_FROM)  # a vector file of 10^5 dots opens in no viewer
    if fitted is not None:
        rest = drawn & ~base
        axes.plot(
            x[rest], y[rest], ls="", marker="o", ms=3.5, mfc="none", mec=COLOURS["grey"], mew=0.7,
            alpha=0.7, rasterized=many, label=f"source, not in the fits ({int(rest.sum())})",
        )  # fmt: skip
    axes.plot(
        x[base], y[base], ls="", marker="o", ms=4, alpha=0.6, color=COLOURS["blue"], mec="white",
        mew=0.3, rasterized=many,
        label=f"source{', in the fits' if fitted is not None else ''} ({int(base.sum())})",
    )  # fmt: skip
    axes.axvline(
        1.0, color=COLOURS["grey"], lw=0.9, ls=":" if fits else "--",
        label="η = 1, a constant source",
    )  # fmt: skip
    if not drawn.any():
        write_empty(axes, "no source with positive η and V")
    words = [count_undrawn(x, y)]
    _set_limits(axes, x[drawn], y[drawn], room=0.14 if words[0] else 0.06)
    if fits is not None:
        words += _draw_cuts(axes, fits, n_sigma)
    _draw_rules(axes, x, y, drawn, rules or {})
    if selected is not None and 0 <= selected < x.size and drawn[selected]:
        axes.plot(
            x[selected], y[selected], ls="", marker="o", ms=13, mfc="none", mew=2.4,
            color=COLOURS["sky"], label="selected", zorder=6,
        )  # fmt: skip
    told = "\n".join(part for part in words if part)
    if told:
        axes.text(
            0.99, 0.02, told, transform=axes.transAxes, ha="right", va="bottom", fontsize="small",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
    write_plain_ticks(axes.xaxis)
    write_plain_ticks(axes.yaxis)
    axes.set_xlabel("η, reduced χ² about the weighted mean")
    axes.set_ylabel("V, coefficient of variation")
    axes.grid(visible=True, which="major", alpha=0.25, linewidth=0.5)
    draw_legend(axes, ncols=2 if fits is not None or rules else 3)
    if not marginals:
        axes.set_title(title, fontsize="medium")
        return axes
    above = axes.inset_axes((0.0, 1.02, 1.0, _MARGIN_SHARE), sharex=axes)
    right = axes.inset_axes((1.02, 0.0, _MARGIN_SHARE, 1.0), sharey=axes)
    _draw_margin(above, x[drawn], x[base], (fits or {}).get("eta"), n_sigma, upright=True)
    _draw_margin(right, y[drawn], y[base], (fits or {}).get("v"), n_sigma, upright=False)
    # within the upper margin, where few sources stand: above it a layout leaves too little room
    axes.set_title(
        title, fontsize="medium", x=1.0, y=1.02 + _MARGIN_SHARE, ha="right", va="top", pad=0.0,
        zorder=10, bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
    )  # fmt: skip
    return EtaVAxes(axes, above, right)


def _set_limits(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], *, room: float) -> None:
    """Widen the ranges a little, and below by what the words in the corner need."""
    for values, put, below in ((x, ax.set_xlim, 0.06), (y, ax.set_ylim, room)):
        if values.size:
            logs = np.log10(values)
            least, most = float(logs.min()), float(logs.max())
            low, high = pad_limits(least, most, 0.06, 0.25)
            put(10.0 ** min(low, least - below * (most - least)), 10.0**high)


def _draw_cuts(ax: Axes, fits: Mapping[str, Mapping[str, Any]], n_sigma: float) -> list[str]:
    """Draw where both cuts lie and shade what passes; say which fit there is none of."""
    cuts = {name: _cut(fits.get(name), n_sigma) for name in ("eta", "v")}
    letters = {"eta": "η", "v": "V"}
    told = [f"{letters[name]} > {cut:.3g}" for name, cut in cuts.items() if math.isfinite(cut)]
    label = f"{n_sigma:g}σ above the field: {', '.join(told)}"
    style: dict[str, Any] = {"color": COLOURS["orange"], "lw": 1.3, "ls": "--", "zorder": 1.5}
    if math.isfinite(cuts["eta"]):
        ax.axvline(cuts["eta"], label=label, **style)
    if math.isfinite(cuts["v"]):
        ax.axhline(cuts["v"], label=None if math.isfinite(cuts["eta"]) else label, **style)
    if len(told) == 2:
        right, top = ax.get_xlim()[1], ax.get_ylim()[1]
        if right > cuts["eta"] and top > cuts["v"]:
            ax.fill_between(
                [cuts["eta"], right], cuts["v"], top, color=COLOURS["orange"], alpha=0.1, lw=0
            )
    return [
        f"no fit of {letters[name]}: {(fits.get(name) or {}).get('reason') or 'not given'}"
        for name, cut in cuts.items()
        if not math.isfinite(cut)
    ]


def _cut(fit: Mapping[str, Any] | None, n_sigma: float) -> float:
    if fit is None:
        return math.nan
    return float(10.0 ** (float(fit["mean"]) + n_sigma * float(fit["sigma"])))


def _draw_rules(
    ax: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    rules: Mapping[str, ArrayLike],
) -> None:
    for i, (name, chosen) in enumerate(rules.items()):
        mask = np.asarray(chosen, dtype=bool)
        shown = mask & drawn
        lost = int((mask & ~drawn).sum())
        marker, colour, size = _RULE_STYLES[i % len(_RULE_STYLES)]
        count = f"{int(mask.sum())}, {lost} not drawn" if lost else f"{int(mask.sum())}"
        ax.plot(
            x[shown], y[shown], ls="", marker=marker, ms=size, mfc="none", mew=1.2,
            color=colour, label=f"selected by {name} ({count})", zorder=4,
        )  # fmt: skip


def _draw_margin(
    ax: Axes,
    every: NDArray[np.float64],
    base: NDArray[np.float64],
    fit: Mapping[str, Any] | None,
    n_sigma: float,
    *,
    upright: bool,
) -> None:
    """Draw the histogram of a logarithm, the Gaussian fitted to it, and the cut."""
    if every.size:
        logs = np.log10(every)
        low, high = float(logs.min()), float(logs.max())
        bins = int(np.clip(round(2.0 * math.sqrt(every.size)), 8, 60))
        width = max((high - low) / bins, 0.02)
        edges = 10.0 ** (low + width * np.arange(bins + 1) - 1e-9)
        edges[-1] = max(edges[-1], 10.0 ** (high + 1e-9))
        side: Any = "vertical" if upright else "horizontal"
        steps = edges.tolist()
        if base.size < every.size:
            ax.hist(every, steps, orientation=side, histtype="step", color=COLOURS["grey"], lw=0.9)
        ax.hist(base, steps, orientation=side, color=COLOURS["blue"], alpha=0.45)
        if fit is not None and float(fit["sigma"]) > 0.0:
            mean, sigma = float(fit["mean"]), float(fit["sigma"])
            at = np.linspace(mean - 4.0 * sigma, mean + 4.0 * sigma, 201)
            peak = float(fit["n_fitted"]) * width / (sigma * math.sqrt(2.0 * math.pi))
            curve = peak * np.exp(-0.5 * ((at - mean) / sigma) ** 2)
            line = (10.0**at, curve) if upright else (curve, 10.0**at)
            ax.plot(*line, color=COLOURS["black"], lw=1.2)
    cut = _cut(fit, n_sigma)
    if math.isfinite(cut):
        draw = ax.axvline if upright else ax.axhline
        draw(cut, color=COLOURS["orange"], lw=1.3, ls="--")
    ax.tick_params(labelbottom=not upright, labelleft=upright, labelsize="small")
    counts, share = (ax.yaxis, ax.xaxis) if upright else (ax.xaxis, ax.yaxis)
    from matplotlib.ticker import MaxNLocator

    counts.set_major_locator(MaxNLocator(nbins=3, integer=True, prune="lower"))
    share.set_tick_params(which="both", length=0)
    counts.set_label_text("sources", fontsize="small")
    for edge in ("top", "right"):
        ax.spines[edge].set_visible(False)


def count_undrawn(eta: ArrayLike, v: ArrayLike) -> str:
    """Say how many sources a logarithmic plot cannot show, and why; empty where all show.

    Examples
    --------
    >>> count_undrawn([1.0, float("nan"), 0.0], [0.1, 0.1, 0.1])
    '2 of 3 not drawn: 1 undefined, 1 with η or V ≤ 0'
    >>> count_undrawn([1.0], [0.1])
    ''
    """
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    undefined = ~(np.isfinite(x) & np.isfinite(y))
    unlogged = ~undefined & ~_drawable(x, y)
    parts = [
        f"{int(mask.sum())} {words}"
        for mask, words in ((undefined, "undefined"), (unlogged, "with η or V ≤ 0"))
        if mask.any()
    ]
    total = int(undefined.sum() + unlogged.sum())
    return f"{total} of {x.size} not drawn: {', '.join(parts)}" if parts else ""


def _drawable(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(x) & np.isfinite(y) & (x > 0.0) & (y > 0.0)
