"""A light curve below a cell: a picture whose alternative text has its numbers."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.times import datetime_from_mjd

if TYPE_CHECKING:
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["curve_alt", "show_figure"]

_SIZE_IN = (7.2, 4.0)
_DPI = 100


def curve_alt(curve: LightCurve, how: str = "") -> str:
    """Say in words what a light curve's figure shows.

    Parameters
    ----------
    curve
        The light curve.
    how
        What was done to its fluxes.
    """
    parts = [f"{len(curve)} epochs"]
    timed = curve.mjd[np.isfinite(curve.mjd)]
    if len(timed):
        first, last = (datetime_from_mjd(float(t)) for t in (timed[0], timed[-1]))
        parts[0] += f" from {first:%Y-%m-%d} to {last:%Y-%m-%d} UTC"
    if len(curve):
        weight = curve.flux_err_jy**-2.0
        mean, error = float((weight * curve.flux_jy).sum() / weight.sum()), weight.sum() ** -0.5
        unit = curve.flux_unit.replace("Jy", "mJy")
        parts.append(f"weighted mean {mean * 1e3:.4g} ± {error * 1e3:.2g} {unit}")
        low, high = float(curve.flux_jy.min()), float(curve.flux_jy.max())
        parts.append(f"from {low * 1e3:.4g} to {high * 1e3:.4g} {unit}")
    limits = int(np.sum(~curve.is_detection))
    parts.append(f"{limits} upper limit{'' if limits == 1 else 's'}")
    out = ", ".join(f"{n} {reason}" for reason, n in curve.excluded.counts().items())
    parts.append(f"{len(curve.excluded)} left out" + (f" ({out})" if out else ""))
    name = f"Light curve of {curve.source_id}" + (f" {how}" if how else "")
    return f"{name}: {'; '.join(parts)}."


def show_figure(curve: LightCurve, alt: str, how: str = "") -> None:
    """Draw a light curve and show it below the cell; text where no picture can be shown."""
    import IPython.display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from contimg_lab.plots.light_curve import plot_light_curve

    # not by pyplot, whose figures a notebook shows once more when the cell ends
    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = plot_light_curve(curve, figure.subplots())
    if how:
        axes.set_title(f"{axes.get_title()}\n{how}", fontsize="medium")
    png = io.BytesIO()
    figure.savefig(png, format="png")
    data = base64.b64encode(png.getvalue()).decode("ascii")
    picture = (
        f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}" '
        'style="max-width:100%;height:auto;background:#fff">'
    )
    publish: Any = IPython.display.publish_display_data
    publish({"text/html": picture, "text/plain": alt})
