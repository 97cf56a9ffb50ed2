"""The sources panel: search, rule, sky, chosen source, periods, images, gallery."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.analysis.cone import on_circle, separation_deg
from contimg_lab.errors import InvalidInput
from contimg_lab.panels._sources_gallery import PAGE
from contimg_lab.panels._sources_search import check_rule, meanings_of, read_place
from contimg_lab.plots.periodogram import peak_periods_d, periodogram_chart
from contimg_lab.plots.sky_sources import sources_chart


async def opened(lab: cl.Lab, **options: Any) -> Any:
    panel = lab.sources.search_panel(**options)
    await panel.settled()
    return panel


def told(panel: Any) -> str:
    return html.unescape(panel._head.status.value)


def gallery(panel: Any) -> None:
    panel._tabs.selected_index = 3


@pytest.mark.parametrize(
    "text", ["23:58:54.23 +16:36:59.2", "359.72596 16.61644", "J235854+163659", "23h58m54s +16d37m"]
)
async def test_a_position_is_a_cone_however_it_is_written(text: str, demo: cl.Lab) -> None:
    """Degrees, sexagesimal text and a name's digits must find what ``cone`` finds, in its order."""
    panel = await opened(demo, text=text, radius_arcmin=60.0)
    shown = panel.to_pandas()
    near = await demo.sources.cone(359.72596, 16.61644, radius_arcmin=60.0)
    assert shown["source_id"].iloc[0] == "NVSS J235854+163659"
    assert abs(len(shown) - len(near)) <= 1
    assert shown["separation_arcsec"].is_monotonic_increasing
    assert "within 60 arcmin of" in told(panel)
    assert panel._sky.chart.lines[0].label == "60 arcmin"
    panel.close()


async def test_a_whole_name_is_the_place_of_its_source(demo: cl.Lab) -> None:
    """A whole name must put its source first, at no distance, before its neighbours."""
    panel = await opened(demo, text="NVSS J000000+161712", radius_arcmin=90.0)
    shown = panel.to_pandas()
    assert shown["source_id"].iloc[0] == "NVSS J000000+161712"
    assert shown["separation_arcsec"].iloc[0] == 0.0
    assert len(shown) > 1
    panel.close()


async def test_a_part_of_a_name_is_found_as_find_does(demo: cl.Lab) -> None:
    """A text that is no place must give the names that hold it, without a separation column."""
    panel = await opened(demo, text="dsa")
    found = await demo.sources.find("dsa", limit=None)
    assert panel.to_pandas()["source_id"].tolist() == found["source_id"].tolist()
    assert "from (arcmin)" not in [column.title for column in panel._table.rows.columns]
    panel.close()


async def test_nothing_near_names_what_is_nearest(demo: cl.Lab) -> None:
    """An empty circle must tell which source is nearest, and how far it is."""
    panel = await opened(demo, text="55.9 16.2", radius_arcmin=5.0)
    assert len(panel.to_pandas()) == 0
    near = (await demo.sources.cone(55.9, 16.2, radius_arcmin=10800.0, limit=1)).iloc[0]
    said = html.unescape(panel._read_as.value)
    assert near["source_id"] in said
    arcmin = float(re.search(r"([\d.e+]+) arcmin away", said)[1])  # type: ignore[index]
    assert arcmin == pytest.approx(near["separation_arcsec"] / 60.0, rel=0.01)
    assert panel.state == "showing"
    panel.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [("23:58:54 +96:00:00", "outside -90 to 90"), ("23:61:00 +16:00:00", "59.99")],
)
async def test_what_is_no_position_is_told_and_the_rows_stay(
    text: str, words: str, demo: cl.Lab
) -> None:
    """Coordinates that cannot be must be told in words; the rows of before stay, called so."""
    panel = await opened(demo)
    before = panel.to_pandas()
    panel._text.widget.value = text
    await panel.settled()
    assert panel.state == "failed"
    assert words in told(panel)
    assert "Shown below is what was read" in told(panel)
    assert len(panel.to_pandas()) == len(before)
    panel._text.widget.value = ""
    await panel.settled()
    assert panel.state == "showing"
    panel.close()


async def test_digits_in_a_name_are_a_name(demo: cl.Lab) -> None:
    """Digits alone are looked for in names; only where none holds them is a position missed."""
    every = await demo.sources.variability()
    assert read_place("000000", every).centre_deg is None
    with pytest.raises(InvalidInput, match="no name holds '999999'"):
        read_place("999999", every)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("eta >", "unfinished"),
        ("(eta > 3", "unfinished"),
        ("etta > 3", "did you mean eta"),
        ("ETA > 3", "did you mean eta"),
        ("brightness_of_it > 3", "which is no column"),
        ("eta", "is a number, not a condition"),
        ("undefined > 3", "which is no column"),
    ],
)
async def test_a_wrong_rule_is_told_in_words(rule: str, words: str, demo: cl.Lab) -> None:
    """A rule that is unfinished, names no column or decides nothing must be told in words."""
    panel = await opened(demo, rule=rule)
    assert panel.state == "failed"
    assert words in told(panel)
    assert "did not expect" not in told(panel)
    assert "<unknown>" not in told(panel).partition("<details>")[0]
    panel.close()


async def test_each_column_offered_is_one_that_a_rule_takes(demo: cl.Lab) -> None:
    """Every column that is offered has a meaning, and makes a rule; choosing one inserts it."""
    every = await demo.sources.variability()
    columns = meanings_of(every)
    assert {"eta", "v", "n_used", "excluded_missing", "pipeline_disagrees"} <= set(columns)
    for name, meaning in columns.items():
        assert meaning, name
        rule = name if name == "pipeline_disagrees" else f"{name} > 0"
        check_rule(rule, columns)
        await demo.sources.select(rule)
    panel = await opened(demo, rule="n_used >= 20 and")
    panel._columns.value = "eta"
    assert panel._rule.widget.value == "n_used >= 20 and eta"
    assert panel._columns.value == ""
    panel.close()


async def test_a_rule_is_that_of_select(demo: cl.Lab) -> None:
    """The rows that a rule leaves must be those of ``select``, its undecided ones counted."""
    panel = await opened(demo, rule="m_debiased > 0.1 and eta > 1")
    found = await demo.sources.select("m_debiased > 0.1 and eta > 1")
    assert panel.to_pandas()["source_id"].tolist() == found.index.tolist()
    assert f"{len(found)} of {found.attrs['n_all']} sources" in told(panel)
    panel.close()


async def test_a_chosen_source_shows_curve_numbers_and_periods(demo: cl.Lab) -> None:
    """Choosing must show the curve with its errors, the numbers, and the best period in words."""
    panel = await opened(demo)
    key = "NVSS J235854+163659"
    panel.select(key)
    await panel.settled()
    curve = await demo.sources.light_curve(key)
    found = curve.periodogram()
    assert sum(len(part) for part in panel._curve.chart.points if not part.overlay) >= len(curve)
    assert f"{len(curve)} epochs used" in panel._brief.value
    row = (await demo.sources.variability()).loc[key]
    assert f"V {row['v']:.3f}" in panel._brief.value
    assert "Best period 7.457 ± 0.034 d" in panel._below._words.value
    assert panel._below.periods.best_period_d == found.best_period_d
    assert panel._below._power.chart.levels[0].at == found.level_power[0]
    assert panel._below._folded.chart.alt.startswith(f"{key} folded on 7.457")
    page = panel._repr_mimebundle_()["text/html"]
    assert "Best period" in page
    panel.select(None)
    await panel.settled()
    assert panel._curve.chart is None
    assert panel._below.periods is None
    panel.close()


async def test_the_curve_does_not_wait_for_what_is_slow(demo: cl.Lab) -> None:
    """The curve must be shown before periods, explanation or images are asked for."""
    panel = await opened(demo)
    order: list[str] = []
    shown = panel._curve.show
    panel._curve.show = lambda chart: (order.append("curve"), shown(chart))
    fetch = panel._below._fetch_period

    async def slow(key: str, curve: Any) -> Any:
        order.append(f"period {key}")
        return await fetch(key, curve)

    panel._below._fetch_period = slow
    first, second, *_ = panel.to_pandas()["source_id"]
    panel.select(first)
    await asyncio.wait_for(panel._requests._slots["detail"], 10)
    panel.select(second)  # at once: the periods of the first are never looked for
    await panel.settled()
    assert order == ["curve", "curve", f"period {second}"]
    panel.close()


async def test_a_peak_is_folded_on(demo: cl.Lab) -> None:
    """Choosing a peak of the periodogram, or typing a period, must fold the curve on it."""
    panel = await opened(demo)
    panel.select("NVSS J235854+163659")
    await panel.settled()
    second_d = peak_periods_d(panel._below.periods)[1]
    panel._below._on_peak(frozenset({1}), "click")
    await panel.settled()
    assert f"folded on {second_d:.6g} d" in panel._below._folded.chart.alt
    panel._below._period.value = -1.0
    await panel.settled()
    assert panel._below._folded.chart is None
    assert panel.state == "showing"
    panel.close()


async def test_a_source_with_too_few_epochs_has_no_periodogram(demo: cl.Lab) -> None:
    """Where there are too few epochs for periods, that must be said where they would stand."""
    panel = await opened(demo)
    curve = await demo.sources.light_curve("NVSS J235854+163659")
    columns = {field.name: getattr(curve, field.name) for field in dataclasses.fields(curve)}
    short = {name: value[:3] for name, value in columns.items() if isinstance(value, np.ndarray)}
    few = dataclasses.replace(curve, **short)
    panel._below.choose("few", few)
    await panel.settled()
    assert "5" in panel._below._words.value
    assert "Traceback" not in panel._below._words.value
    assert panel._below._power.chart is None
    panel.close()


async def test_an_epoch_and_an_image_choose_each_other(demo: cl.Lab) -> None:
    """An epoch's image must become the selection's, and an image ring its epoch."""
    panel = await opened(demo)
    key = "NVSS J235854+163659"
    panel.select(key)
    await panel.settled()
    curve = await demo.sources.light_curve(key)
    panel._on_curve(frozenset({int(curve.row_id[3])}), "click")
    assert demo.selection.image == curve.image_path[3]
    assert int(curve.row_id[3]) in panel._curve.selected
    panel._tabs.selected_index = 2
    await panel.settled()
    assert len(panel._below._images.rows) == len(await demo.sources.images_of(key))
    demo.selection.image = str(curve.image_path[5])
    assert int(curve.row_id[5]) in panel._curve.selected
    panel._below._images._grid._handle_custom_msg(
        {"do": "choose", "key": str(curve.image_path[7])}, []
    )
    assert demo.selection.image == curve.image_path[7]
    demo.selection.clear()
    panel.close()


async def test_numbers_are_explained_in_their_tab(demo: cl.Lab) -> None:
    """The tab of explanations must hold what ``explain`` gives, once it is opened."""
    panel = await opened(demo)
    key = panel.to_pandas()["source_id"].iloc[4]
    panel.select(key)
    await panel.settled()
    assert "<table" not in panel._below._why.value
    panel._tabs.selected_index = 1
    await panel.settled()
    assert panel._below._why.value == (await demo.sources.explain(key))._repr_html_()
    panel.close()


async def test_a_lasso_makes_a_set_that_the_gallery_shows(demo: cl.Lab) -> None:
    """Several sources on the sky become the selection's set; the gallery shows it by eta."""
    panel = await opened(demo)
    gallery(panel)
    await panel.settled()
    assert list(panel._gallery.names) == panel.to_pandas()["source_id"].head(PAGE).tolist()
    some = panel.to_pandas()["source_id"].iloc[20:35].tolist()
    panel._on_sky(frozenset(some), "lasso")
    await panel.settled()
    assert demo.selection.sources == frozenset(some)
    assert panel._sky.selected >= frozenset(some)
    eta = (await demo.sources.variability())["eta"].loc[some].sort_values(ascending=False)
    assert list(panel._gallery.names) == eta.index[:PAGE].tolist()
    panel._gallery._turn(PAGE)
    await panel.settled()
    assert list(panel._gallery.names) == eta.index[PAGE:].tolist()
    assert panel._gallery._count.value == f"{PAGE + 1} to 15 of 15 sources"
    assert [cell.name for cell in panel._gallery._cells[3:]] == [None] * (PAGE - 3)
    panel._gallery._cells[1]._button.click()
    await panel.settled()
    assert panel.selected == eta.index[PAGE + 1] == demo.selection.source
    demo.selection.sources = set()
    await panel.settled()
    assert panel._gallery.which == "rows"
    demo.selection.clear()
    panel.close()


@pytest.mark.parametrize("which", ["eta_v", "two_epoch", "moderate"])
async def test_the_gallery_of_candidates(which: str, demo: cl.Lab) -> None:
    """The gallery by a rule must hold the sources that it selects, highest eta first."""
    panel = await opened(demo)
    panel._gallery._which.choose(which)
    gallery(panel)
    await panel.settled()
    rules = await demo.sources.candidates()
    wanted = rules[rules[which]].index
    eta = (await demo.sources.variability())["eta"].loc[wanted].sort_values(ascending=False)
    assert list(panel._gallery.names) == eta.index[:PAGE].tolist()
    assert len(wanted) == 0 or f"of {len(wanted)} sources" in panel._gallery._count.value
    panel.close()


async def test_units_are_those_of_the_lab(demo: cl.Lab) -> None:
    """Fluxes and positions must be written in the units that the Lab shows."""
    panel = await opened(demo)
    panel.select("NVSS J235854+163659")
    demo.view.units.choose(flux="Jy", positions="sexagesimal")
    await panel.settled()
    titles = [column.title for column in panel._table.rows.columns]
    assert {"mean (Jy)", "RA (h m s)", "Dec (d m s)"} <= set(titles)
    assert "23:58:54.2" in panel._brief.value
    assert re.search(r"mean 0\.2\d+ ± 0\.00\d+ Jy", panel._brief.value)
    demo.view.units.choose(flux="mJy", positions="deg")
    panel.close()


@given(
    ra=st.floats(0.0, 360.0), dec=st.floats(-89.0, 89.0), radius=st.floats(1e-3, 80.0)
)  # fmt: skip
def test_each_point_of_a_circle_is_as_far_as_its_radius(
    ra: float, dec: float, radius: float
) -> None:
    """Wherever a circle lies, the poles included, its points stand at its radius."""
    at = on_circle(ra, dec, radius)
    assert separation_deg(ra, dec, *at) == pytest.approx(np.full(at[0].size, radius), abs=1e-9)


@given(
    turn=st.floats(0.0, 360.0),
    apart=st.lists(st.floats(-20.0, 20.0), min_size=1, max_size=20),
)
def test_sources_across_0_h_stay_together(turn: float, apart: list[float]) -> None:
    """On the sky sources are as far from each other as they are, wherever 0 h lies."""
    ra = (turn + np.array(apart)) % 360.0
    chart = sources_chart(ra, np.zeros(ra.size), circle=(turn, 0.0, 1.0))
    assert chart.points[-1].x == pytest.approx(turn + np.array(apart), abs=1e-9)


async def test_a_periodogram_of_many_frequencies_keeps_its_peaks(demo: cl.Lab) -> None:
    """Drawn with fewer points than it has, a periodogram must keep its highest power."""
    curve = await demo.sources.light_curve("NVSS J235854+163659")
    found = curve.periodogram(samples_per_peak=5000)
    chart = periodogram_chart(found)
    assert len(found.power) > 10 * len(chart.lines[0].x) / 2
    assert chart.lines[0].y.max() == found.best_power
    assert (np.diff(chart.lines[0].x) >= 0).all()
    assert chart.points[0].y[0] == found.best_power
