"""A live plot from Python's side: what it keeps, what it sends, what a selection means."""

from __future__ import annotations

import gc
import html
import json
import re
import weakref
from pathlib import Path

import numpy as np
import pytest

from contimg_lab.errors import ContimgLabError
from contimg_lab.panels._live_plot import LivePlot, _scripts
from contimg_lab.plots.chart import Chart
from contimg_lab.plots.sky import pointings_chart


def chart(keys: str = "abc", name: str = "night") -> Chart:
    return pointings_chart(
        np.arange(len(keys)), np.full(len(keys), 16.0), keys=list(keys), name=name
    )


def choose(plot: LivePlot, *numbers: int, serial: int | None = None, how: str = "click") -> None:
    """Say what a browser says when the reader chooses."""
    content = {"kind": "select", "how": how, "serial": plot._serial if serial is None else serial}
    plot.widget._handle_custom_msg(content, [np.array(numbers, np.uint32).tobytes()])


def test_a_selection_comes_as_keys() -> None:
    """Callbacks get the keys and how they were chosen; the undo stops them."""
    plot = LivePlot()
    plot.show(chart())
    heard: list[tuple[frozenset[object], str]] = []
    stop = plot.on_select(lambda keys, how: heard.append((keys, how)))
    choose(plot, 0, 2, how="lasso")
    assert heard == [({"a", "c"}, "lasso")]
    assert plot.selected == {"a", "c"}
    stop()
    choose(plot, 1)
    assert len(heard) == 1
    assert plot.selected == {"b"}


def test_a_click_on_an_older_chart_means_what_was_clicked() -> None:
    """A refresh between the click and its arrival must not turn it into another key."""
    plot = LivePlot()
    plot.show(chart("abc"))
    old = plot._serial
    plot.show(chart("xabc"))
    choose(plot, 1, serial=old)
    assert plot.selected == {"b"}
    choose(plot, 1, serial=-7)
    assert plot.selected == {"b"}


def test_a_refresh_keeps_what_is_selected() -> None:
    """Keys outlive a refresh as far as they are there; another plot begins without any."""
    plot = LivePlot()
    plot.show(chart("abc"))
    choose(plot, 0, 1)
    plot.show(chart("bcd"))
    assert plot.selected == {"b"}
    plot.show(chart("bcd", name="another night"))
    assert plot.selected == frozenset()
    plot.select(["c", "not there"])
    assert plot.selected == {"c"}


async def test_the_figure_is_the_chart_with_its_selection() -> None:
    """The figure made late shows the same points, ringed where they are selected."""
    plot = LivePlot()
    assert plot.figure is None
    assert plot.to_html() == ""
    plot.show(chart())
    choose(plot, 1)
    figure = plot.figure
    assert figure is plot.figure
    ring = next(line for line in figure.axes[0].lines if line.get_label() == "selected")
    assert ring.get_xdata().tolist() == [1.0]
    await plot.draw()
    text = html.unescape(plot.to_html())
    assert text.startswith("<img")
    assert "Sky plot: pointing (3)" in text
    assert "Selected: b." in text
    plot.clear("nothing")
    assert plot.figure is None
    assert plot.alt == "nothing"


def test_what_a_chart_cannot_hold_is_drawn_by_the_caller() -> None:
    """A drawing of the caller's own takes the place of the chart's."""
    plot = LivePlot()
    plot.show(chart(), draw=lambda ax: ax.set_title("with margins"))
    assert plot.figure.axes[0].get_title() == "with margins"


def test_neither_data_nor_code_are_saved() -> None:
    """The state that a notebook saves is small, whatever is shown."""
    plot = LivePlot()
    n = 20_000
    plot.show(pointings_chart(np.linspace(0, 90, n), np.zeros(n), keys=[f"k{i}" for i in range(n)]))
    state = plot.widget.get_state()
    assert len(json.dumps(state, default=str)) < 5_000
    assert not re.search("uPlot", state["_esm"])


def test_scripts_that_are_missing_are_named(tmp_path: Path) -> None:
    """Without the built scripts the error says what to run."""
    with pytest.raises(ContimgLabError, match=r"\.ci/front\.py"):
        _scripts(tmp_path)


def test_a_closed_plot_is_forgotten() -> None:
    """Nothing holds a plot that was closed."""
    plot = LivePlot()
    plot.show(chart())
    plot.on_select(lambda keys, how: None)
    held = weakref.ref(plot)
    plot.close()
    del plot
    gc.collect()
    assert held() is None
