"""One source in the variability panel: its curve, its numbers, and where they come from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._variables import numbers_of
from contimg_lab.panels._words import facts

if TYPE_CHECKING:
    from contimg_lab.panels._field_rows import Field
    from contimg_lab.panels._live_plot import LivePlot
    from contimg_lab.plots.chart import Key
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["SourceView"]

_HINT = "<span class='contimg-quiet'>Choose a source to see its light curve.</span>"
_NO_FOLD = "<span class='contimg-quiet'>Where the chosen source's numbers come from: here.</span>"


class SourceView:
    """What stands below the table for the chosen source.

    Parameters
    ----------
    plot
        Shows the light curve.

    Attributes
    ----------
    curve
        The light curve that is shown, or None.
    facts, fold
        Widgets with the numbers, and with the explanation.
    """

    def __init__(self, plot: LivePlot) -> None:
        import ipywidgets as widgets

        self.plot = plot
        self.curve: LightCurve | None = None
        self.facts: Any = widgets.HTML(_HINT)
        self.fold: Any = widgets.HTML(_NO_FOLD)

    def show(self, curve: LightCurve, image: str | None) -> None:
        """Show a curve, the epoch of an image ringed; the numbers before it are gone."""
        from contimg_lab.plots.light_curve import light_curve_chart

        if self.curve is not None and self.curve.source_id != curve.source_id:
            self.fold.value = _NO_FOLD
        self.curve = curve
        chart = light_curve_chart(curve)
        self.plot.show(dataclasses.replace(chart, selected=self._epochs_of(image)))

    def clear(self, words_html: str = _HINT) -> None:
        """Show no source, and words in place of its numbers."""
        self.curve = None
        self.facts.value, self.fold.value = words_html, _NO_FOLD
        self.plot.clear()

    def tell(self, field: Field | None) -> None:
        """Write the numbers: those of the curve, and of the field as far as it was read."""
        if self.curve is None:
            return
        name = self.curve.source_id
        row = None if field is None else field.row(name)
        corrected = field is not None and bool(field.attrs["flux_scale"]["applied"])
        rows = numbers_of(self.curve, row, corrected=corrected)
        self.facts.value = facts({"Source": name, **rows})

    def explain(self, html: str) -> None:
        """Put an explanation below; one that is open and the same stays open."""
        self.fold.value = html

    def ring(self, image: str | None) -> None:
        """Ring the epoch of an image, where the curve has one."""
        self.plot.select(self._epochs_of(image))

    def image_of(self, row: Key) -> str | None:
        """Return the image of an epoch by its row; None where the curve has none."""
        for part in () if self.curve is None else (self.curve, self.curve.excluded):
            for at in np.flatnonzero(part.row_id == row).tolist():
                image: str | None = part.image_path[at]
                return image
        return None

    def _epochs_of(self, image: str | None) -> frozenset[Key]:
        if image is None or self.curve is None:
            return frozenset()
        parts = (self.curve, self.curve.excluded)
        return frozenset(
            int(row) for part in parts for row in part.row_id[part.image_path == image]
        )
