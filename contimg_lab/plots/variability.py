"""eta against V of a whole field: fits, cuts, what each rule selects, and what cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np

from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import COLOURS, ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Key, Level, Points, pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EtaVAxes", "count_undrawn", "eta_v_chart", "plot_eta_v"]

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
    chart = eta_v_chart(
        eta, v, fits=fits, n_sigma=n_sigma, fitted=fitted, rules=rules, selected=selected,
        title=title,
    )  # fmt: skip
    draw_chart(replace(chart, title="") if marginals else chart, axes)
    if not marginals:
        return axes
    # histograms are drawn on top: they are counts of what the chart shows, not part of it
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    drawn = _drawable(x, y)
    base = drawn if fitted is None else drawn & np.asarray(fitted, dtype=bool)
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


def eta_v_chart(
    eta: ArrayLike,
    v: ArrayLike,
    *,
    fits: Mapping[str, Mapping[str, Any]] | None = None,
    n_sigma: float = 2.0,
    fitted: ArrayLike | None = None,
    rules: Mapping[str, ArrayLike] | None = None,
    keys: Sequence[Key] | None = None,
    columns: Sequence[Column] = (),
    selected: int | None = None,
    title: str = "",
    name: str = "η against V",
) -> Chart:
    """Describe eta against V as `plot_eta_v` draws it, but for the histograms in its margins.

    Parameters
    ----------
    eta, v, fits, n_sigma, fitted, rules, selected, title
        As `plot_eta_v` takes them.
    keys
        What each source is known by; its index where None.
    columns
        What else the row of a source tells.
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.

    Examples
    --------
    >>> chart = eta_v_chart([1.0, 5.0, 0.0], [0.1, 0.2, 0.1], keys=["A", "B", "C"])
    >>> chart.keys(), chart.corner
    (('A', 'B'), ('1 of 3 not drawn: 1 with η or V ≤ 0',))
    """
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    names = tuple(range(x.size)) if keys is None else tuple(keys)
    drawn = _drawable(x, y)
    base = drawn if fitted is None else drawn & np.asarray(fitted, dtype=bool)

    def part(mask: NDArray[np.bool_], role: str, name: str, **options: Any) -> Points:
        return Points(
            role=role, name=name, x=x[mask], y=y[mask], keys=pick(names, mask),
            columns=tuple(column.take(mask) for column in columns), **options,
        )  # fmt: skip

    points = [part(base, "field", "source" if fitted is None else "source, in the fits")]
    if fitted is not None:
        points.insert(0, part(drawn & ~base, "unfitted", "source, not in the fits"))
    for i, (rule, chosen) in enumerate((rules or {}).items()):
        mask = np.asarray(chosen, dtype=bool)
        lost = int((mask & ~drawn).sum())
        count = f"{int(mask.sum())}, {lost} not drawn" if lost else f"{int(mask.sum())}"
        told = f"selected by {rule}"
        points.append(
            part(mask & drawn, "selected rule", told, variant=i, label=f"{told} ({count})",
                 overlay=True)
        )  # fmt: skip
    lost_words = count_undrawn(x, y)
    across = _log_limits(x[drawn], 0.06)
    up = _log_limits(y[drawn], 0.14 if lost_words else 0.06)
    levels, bands, unfit = _cuts(fits, n_sigma) if fits is not None else ((), (), ())
    chosen_key = selected is not None and 0 <= selected < x.size and bool(drawn[selected])
    at = frozenset({names[selected]} if chosen_key and selected is not None else ())
    top = f"highest η {x[drawn].max():.3g}, highest V {y[drawn].max():.3g}" if drawn.any() else ""
    counts = ", ".join(part.words for part in points)
    told_all = (counts, top, *(level.label for level in levels), lost_words)
    return Chart(
        name=name,
        title=title,
        noun="source",
        x=Axis(label="η, reduced χ² about the weighted mean", name="η", log=True, limits=across),
        y=Axis(label="V, coefficient of variation", name="V", log=True, limits=up),
        points=tuple(points),
        levels=(Level(role="constant", axis="x", at=1.0, label="η = 1, a constant source"),
                *levels),
        bands=bands,
        corner=tuple(words for words in (lost_words, *unfit) if words),
        empty="" if drawn.any() else "no source with positive η and V",
        selected=at,
        columns=2 if fits is not None or rules else 3,
        alt=f"η against V of {x.size} sources: {'; '.join(words for words in told_all if words)}.",
    )  # fmt: skip


def _log_limits(values: NDArray[np.float64], below: float) -> tuple[float, float]:
    """Widen a range a little, and below by what the words in the corner need."""
    if not values.size:
        return 0.1, 10.0
    logs = np.log10(values)
    least, most = float(logs.min()), float(logs.max())
    low, high = pad_limits(least, most, 0.06, 0.25)
    return 10.0 ** min(low, least - below * (most - least)), 10.0**high


def _cuts(
    fits: Mapping[str, Mapping[str, Any]], n_sigma: float
) -> tuple[tuple[Level, ...], tuple[Band, ...], tuple[str, ...]]:
    """Where both cuts lie, the area that passes, and which fit there is none of."""
    cuts = {name: _cut(fits.get(name), n_sigma) for name in ("eta", "v")}
    letters = {"eta": "η", "v": "V"}
    there = {name: cut for name, cut in cuts.items() if math.isfinite(cut)}
    told = ", ".join(f"{letters[name]} > {cut:.3g}" for name, cut in there.items())
    label = f"{n_sigma:g}σ above the field: {told}"
    levels = tuple(
        Level(role="cut", axis="x" if name == "eta" else "y", at=cut, label="" if i else label)
        for i, (name, cut) in enumerate(there.items())
    )
    both = len(there) == 2
    bands = (Band(role="cut", x=(cuts["eta"], np.inf), y=(cuts["v"], np.inf)),) if both else ()
    unfit = tuple(
        f"no fit of {letters[name]}: {(fits.get(name) or {}).get('reason') or 'not given'}"
        for name, cut in cuts.items()
        if not math.isfinite(cut)
    )
    return levels, bands, unfit


def _cut(fit: Mapping[str, Any] | None, n_sigma: float) -> float:
    if fit is None:
        return math.nan
    return float(10.0 ** (float(fit["mean"]) + n_sigma * float(fit["sigma"])))


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
