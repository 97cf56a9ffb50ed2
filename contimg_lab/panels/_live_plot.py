"""A live plot in a panel: hover, click, box, lasso, zoom, keyboard; matplotlib draws its twin."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import ContimgLabError
from contimg_lab.panels._chart_message import ChartMessage, chart_message
from contimg_lab.panels._home import Home
from contimg_lab.panels._picture import draw_apart, picture_html, small_png
from contimg_lab.panels._words import escape
from contimg_lab.plots._roles import PALETTES
from contimg_lab.plots.chart import Chart, Key

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LivePlot"]

_log = logging.getLogger(__name__)
_DIST = Path(__file__).parent / "front" / "dist"
_DPI = 100
_FEW = 3
_MEMORY = 4

OnSelect = Callable[[frozenset[Key], str], None]
Draw = Callable[["Axes"], object]


class LivePlot:
    """The last chart shown, in a box that keeps its height.

    The browser gets numbers as binary messages and the drawing code once: neither is part of
    the widget's state, so a saved notebook holds them at most once, as the picture.

    Parameters
    ----------
    size_in
        Width and height of the matplotlib figure in inches. The live plot has this height, and
        the width of the page up to this.
    empty
        Words to show before there is a chart.
    home
        Where callbacks are called; None: on the loop that runs now.

    Raises
    ------
    ContimgLabError
        The scripts were not built.
    """

    def __init__(
        self,
        size_in: tuple[float, float] = (7.2, 4.0),
        empty: str = "",
        home: Home | None = None,
    ) -> None:
        self.size_in = size_in
        self.chart: Chart | None = None
        self._draw: Draw | None = None
        self._figure: Figure | None = None
        self._picture: tuple[object, bytes] | None = None
        self._empty = self._words = empty
        self._selected: frozenset[Key] = frozenset()
        self._listeners: list[OnSelect] = []
        self._serial = 0
        self._sent: ChartMessage | None = None
        # a click may answer the chart before the last one: what its numbers meant is kept
        self._numbers: dict[int, dict[Key, int]] = {}
        loader, self._code, digest = _scripts()
        self.widget: Any = _widget_class(loader)(
            layout={
                "width": f"{round(size_in[0] * _DPI)}px",
                "max_width": "100%",
                "min_width": "0",
                "flex": "0 1 auto",
            },
            _digest=digest,
            _height=round(size_in[1] * _DPI),
        )
        self._heard = (home or Home()).taken(self._answer)
        self.widget.on_msg(self._heard)
        self._send_code()
        self._send()

    @property
    def selected(self) -> frozenset[Key]:
        """Keys of what is selected."""
        return self._selected

    @property
    def figure(self) -> Figure | None:
        """The chart drawn by matplotlib, with what is selected ringed; None without a chart."""
        if self.chart is None:
            return None
        if self._figure is None:
            self._figure = self._make_figure(self.chart, self._draw, self._selected)
        return self._figure

    def show(
        self,
        chart: Chart,
        *,
        draw: Draw | None = None,
        message: ChartMessage | None = None,
    ) -> None:
        """Show a chart.

        Where it has the name of the one before it, the reader's zoom stays. What is selected
        stays selected as far as its keys are there; else what the chart itself selects is.

        Parameters
        ----------
        chart
            What to show.
        draw
            Draws the figure in place of the chart's own drawing, on axes that it is given: for
            what a chart does not hold, such as histograms in the margins. Called in a thread.
        message
            What `chart_message` made of the chart in a thread, where its points are many.
        """
        self._serial += 1
        made = chart_message(chart, self._serial) if message is None else message
        self._sent = made.numbered(self._serial)
        kept = self._selected & self._sent.numbers.keys()
        same = self.chart is not None and self.chart.name == chart.name
        self._selected = frozenset(kept if same and kept and not chart.selected else chart.selected)
        self.chart, self._draw, self._figure = chart, draw, None
        self._numbers[self._serial] = self._sent.numbers
        self._numbers.pop(self._serial - _MEMORY, None)
        self._send()

    def clear(self, words: str | None = None) -> None:
        """Show words in place of a plot."""
        self.chart = self._draw = self._figure = self._sent = self._picture = None
        self._selected = frozenset()
        self._numbers.clear()
        self._words = self._empty if words is None else words
        self._serial += 1
        self._send()

    def select(self, keys: Iterable[Key]) -> None:
        """Mark keys as selected, and nothing else; those not in the chart are left out.

        Callbacks are not called: they are for what the reader does.
        """
        if self._sent is None:
            return
        chosen = frozenset(keys) & self._sent.numbers.keys()
        if chosen != self._selected:
            self._selected, self._figure = chosen, None
            self._post_selected()

    def on_select(self, callback: OnSelect) -> Callable[[], None]:
        """Call ``callback(keys, how)`` when the reader selects; returns what undoes this.

        ``how`` is click, box, lasso, key or clear.
        """
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    async def draw(self) -> None:
        """Draw the picture of what is shown in a thread, where it is not drawn yet."""
        chart, what = self.chart, self._what
        if chart is not None and (self._picture is None or self._picture[0] != what):
            await draw_apart(self._draw_picture, what, chart, self._draw, self._selected)

    def to_html(self) -> str:
        """Return the picture with its words, for a saved page, or nothing without a chart.

        At once: where `draw` has not drawn what is shown, only the words.
        """
        if self.chart is None:
            return ""
        if self._picture is None or self._picture[0] != self._what or not self._picture[1]:
            return f"<p><i>{escape(self.alt)}</i></p>"
        return picture_html(self._picture[1], self.alt)

    @property
    def alt(self) -> str:
        """The chart in words, with what is selected."""
        if self.chart is None:
            return self._words
        if not self._selected:
            return self.chart.alt
        few = sorted(str(key) for key in self._selected)[:_FEW]
        more = f" and {len(self._selected) - _FEW} more" if len(self._selected) > _FEW else ""
        return f"{self.chart.alt} Selected: {', '.join(few)}{more}."

    def close(self) -> None:
        """Close the widget and forget the callbacks."""
        self._listeners.clear()
        self.widget.on_msg(self._heard, remove=True)
        self.widget.close()

    @property
    def _what(self) -> object:
        return self._serial, self._selected

    def _draw_picture(
        self, what: object, chart: Chart, draw: Draw | None, selected: frozenset[Key]
    ) -> None:
        """Run in the thread; kept even where nobody waits for it any more."""
        if self._picture is not None and self._picture[0] == what:
            return
        try:
            png = small_png(self._make_figure(chart, draw, selected))
        except Exception:  # of matplotlib, of the caller's drawing: the words are there
            _log.exception("the picture of %s could not be drawn", chart.name)
            png = b""
        self._picture = what, png

    def _make_figure(self, chart: Chart, draw: Draw | None, selected: frozenset[Key]) -> Figure:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from contimg_lab.plots._draw import draw_chart

        figure = Figure(figsize=self.size_in, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        if draw is not None:
            draw(axes)
        else:
            draw_chart(dataclasses.replace(chart, selected=selected), axes)
        return figure

    def _chosen(self) -> memoryview:
        numbers = self._sent.numbers if self._sent is not None else {}
        chosen = sorted(numbers[key] for key in self._selected if key in numbers)
        return memoryview(np.array(chosen, np.uint32).tobytes())

    def _send_code(self) -> None:
        self._post({"kind": "code", "palettes": PALETTES}, [memoryview(self._code)])

    def _send(self) -> None:
        if self._sent is None:
            self._post({"kind": "clear", "serial": self._serial, "words": self._words}, [])
        else:
            content = self._sent.content | {"selected": len(self._sent.buffers)}
            self._post(content, [*self._sent.buffers, self._chosen()])

    def _post_selected(self) -> None:
        self._post({"kind": "selected", "serial": self._serial}, [self._chosen()])

    def _post(self, content: dict[str, Any], buffers: list[memoryview]) -> None:
        self.widget.send(content, buffers)

    def _answer(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        """What the browser says: a page that was opened later asks for all; or a selection."""
        kind = content.get("kind")
        if kind == "hello":
            self._send_code()
            self._send()
        elif kind == "select" and self._sent is not None and content["serial"] in self._numbers:
            keys = list(self._numbers[content["serial"]])
            chosen = np.frombuffer(bytes(buffers[0]) if buffers else b"", np.uint32).tolist()
            picked = frozenset(keys[number] for number in chosen if number < len(keys))
            self._selected = picked & self._sent.numbers.keys()
            self._figure = None
            if content["serial"] != self._serial:
                self._post_selected()
            for listener in tuple(self._listeners):
                listener(self._selected, str(content.get("how")))


@functools.cache
def _scripts(folder: Path = _DIST) -> tuple[str, bytes, str]:
    """The loader that is part of each widget, the code that it is sent, and that code's digest."""
    texts = []
    for name in ("loader.js", "plot.js"):
        path = folder / name
        if not path.is_file():
            raise ContimgLabError(
                f"{path.name} was not built: run `python .ci/front.py` in a checkout "
                "(an installed package brings it along)"
            )
        texts.append(path.read_text(encoding="utf-8"))
    code = texts[1].encode()
    return texts[0], code, hashlib.sha256(code).hexdigest()[:16]


@functools.cache
def _widget_class(loader: str) -> Any:
    import anywidget
    import traitlets

    class LivePlotWidget(anywidget.AnyWidget):
        """What the browser shows; its state is the loader and a height."""

        _esm = loader
        _digest = traitlets.Unicode().tag(sync=True)
        _height = traitlets.Int().tag(sync=True)

    return LivePlotWidget
