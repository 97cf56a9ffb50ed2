"""The variability panel: rules, warning, flux scale, and where its numbers come from."""

from __future__ import annotations

import asyncio
import html
import math
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.panels._field_rows import CHOSEN_SET, Field, list_sources
from contimg_lab.panels._variables import together_words


async def opened(lab: cl.Lab, **options: Any) -> Any:
    panel = lab.sources.panel(**options)
    await panel.settled()
    assert panel.state == "showing"
    return panel


def cells(panel: Any, title: str) -> list[str]:
    """One column of the table, as it is read."""
    column = next(c for c in panel._table.rows.columns if c.title == title)
    return list(column.texts)


async def test_rows_say_which_rules_select_them(demo: cl.Lab) -> None:
    """The panel's rows must carry the rules of ``candidates()``, source by source."""
    panel = await opened(demo)
    found = await demo.sources.candidates()
    shown = panel.to_pandas().set_index("source_id")
    assert (shown["selected_by"] == found["selected_by"].loc[shown.index]).all()
    told = dict(zip(cells(panel, "source"), cells(panel, "selected by"), strict=True))
    for name, words in told.items():
        assert ("η–V" in words) == bool(found.loc[name, "eta_v"])
        assert ("two-epoch" in words) == bool(found.loc[name, "two_epoch"])
        assert ("sensitive" in words or "moderate" in words) == bool(found.loc[name, "sensitive"])
    assert shown.attrs["rules"] == found.attrs["rules"]
    panel.close()


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("eta_v", ["eta_v"]),
        ("presets", ["conservative", "moderate", "sensitive"]),
        ("two_epoch", ["two_epoch"]),
        ("any", ["eta_v", "conservative", "moderate", "sensitive", "two_epoch"]),
    ],
)
async def test_the_rule_filter_narrows(rule: str, columns: list[str], demo: cl.Lab) -> None:
    """A rule's filter must leave what that rule selects, no more, and keep the counts."""
    found = await demo.sources.candidates()
    wanted = set(found.index[found[columns].any(axis=1)])
    panel = await opened(demo)
    panel._rule.widget.value = rule
    await panel.settled()
    assert set(panel.to_pandas()["source_id"]) == wanted
    assert f"{len(wanted)} of {len(found)} sources" in panel._head.status.value
    assert panel.to_pandas()["eta"].is_monotonic_decreasing
    panel.close()


async def test_text_and_rule_hold_together(demo: cl.Lab) -> None:
    """Both filters must hold at once, and the plot must go on showing the whole field."""
    panel = await opened(demo, rule="two_epoch", text="nvss")
    found = await demo.sources.candidates()
    wanted = {name for name in found.index[found["two_epoch"]] if "NVSS" in name}
    assert set(panel.to_pandas()["source_id"]) == wanted
    assert f"{len(wanted)} of {len(found)} sources" in panel._table.counts
    assert f"η against V of {len(found)} sources" in panel._scatter.alt
    assert set(panel._scatter.chart.keys()) == set(
        found.index[(found[["eta", "v"]] > 0).all(axis=1)]
    )
    panel.close()


async def test_counts_name_each_rule_and_the_false_pairs(demo: cl.Lab) -> None:
    """The line of counts must say how many sources each rule selects, of the whole field."""
    panel = await opened(demo)
    found = await demo.sources.candidates()
    told = html.unescape(panel._head.status.value)
    assert f"η–V {int(found['eta_v'].sum())}," in told
    assert f"two-epoch {int(found['two_epoch'].sum())} (" in told
    assert f"{found.attrs['expected_false_pairs']:.1f} false pairs expected" in told
    panel.close()


async def test_sources_that_vary_together_are_warned_of(demo: cl.Lab) -> None:
    """Where images share gain errors the panel must warn in words, live and saved."""
    panel = await opened(demo)
    told = (await demo.sources.candidates()).attrs["vary_together"]
    assert told["warning"]
    for page in (panel._warning.value, panel._repr_mimebundle_()["text/html"]):
        assert "Warning: the sources vary together" in page
        assert f"median correlation {told['median_correlation']:.2f}" in page
    assert "contimg-bad" in panel._warning.value
    panel.close()


def test_no_warning_without_cause() -> None:
    """A quiet field, or one too small to tell, must be said without an alarm."""
    calm = {"looked_at": True, "median_correlation": 0.03, "n_sources": 40, "warning": False}
    words, bad = together_words(calm, corrected=False)
    assert "0.03 of 40 bright sources" in words
    assert not bad
    few = calm | {"median_correlation": float("nan"), "n_sources": 0}
    words, bad = together_words(few, corrected=False)
    assert words.startswith("Too few")
    assert not bad


async def test_the_flux_scale_is_off_until_it_is_asked_for(demo: cl.Lab) -> None:
    """Ticked, the numbers must be those of ``flux_scale=True``, and the counts must say so."""
    panel = await opened(demo)
    assert panel._scale.value is False
    assert "flux scale" not in panel._head.status.value
    panel.select(panel.to_pandas()["source_id"].iloc[0])
    panel._scale.value = True
    await panel.settled()
    right = await demo.sources.variability(flux_scale=True)
    shown = panel.to_pandas().set_index("source_id")
    assert (shown["eta"].dropna() == right["eta"].loc[shown.index].dropna()).all()
    scale = right.attrs["flux_scale"]
    scaled = scale["n_images"] - scale["n_images_without"]
    assert f"{scaled} of {scale['n_images']} images got a scale" in panel._head.status.value
    assert "contimg-bad" not in panel._warning.value
    assert "as recorded" in panel._facts.value
    assert "not compared" in panel._facts.value
    assert "image&#x27;s flux scale" in panel._fold.value
    panel.close()


async def test_a_source_explains_its_numbers(demo: cl.Lab) -> None:
    """Below a chosen source a fold must hold ``explain()``: equations, sums and papers."""
    panel = await opened(demo)
    key = panel.to_pandas()["source_id"].iloc[1]
    assert "<details>" not in panel._fold.value
    panel.select(key)
    await panel.settled()
    why = await demo.sources.explain(key)
    assert re.search(r"<details><summary>Where do these numbers come from\?", panel._fold.value)
    assert why._repr_html_() in panel._fold.value
    assert why._repr_html_() in panel._repr_mimebundle_()["text/html"]
    panel.select(None)
    await panel.settled()
    assert key not in panel._fold.value
    panel.close()


async def test_the_pipelines_figures_stand_beside_ours(demo: cl.Lab) -> None:
    """A chosen source must show the pipeline's V and eta beside ours, and the verdict."""
    panel = await opened(demo)
    row = panel.to_pandas().iloc[0]
    panel.select(row["source_id"])
    await panel.settled()
    assert f"(pipeline {row['pipeline_v']:.3f})" in panel._facts.value
    assert html.escape(row["pipeline_verdict"]) in panel._facts.value
    assert f"({int(row['pipeline_n'])} epochs)" in panel._facts.value
    panel.close()


async def test_the_users_own_rule(demo: cl.Lab) -> None:
    """An expression must become a rule that can be filtered by; a wrong one is told in words."""
    panel = await opened(demo, expression="eta > 3 and n_used >= 20", rule="expression")
    shown = panel.to_pandas()
    assert len(shown)
    assert (shown["eta"] > 3).all()
    assert "expression" in cells(panel, "selected by")[0]
    panel.close()
    wrong = demo.sources.panel(expression="brightness > 3")
    await wrong.settled()
    assert wrong.state == "failed"
    assert "brightness" in wrong._head.status.value
    assert "did not expect" not in wrong._head.status.value
    wrong.close()


async def test_sorting_by_the_largest_pair_ignores_the_sign(demo: cl.Lab) -> None:
    """A source that brightened must sort like one that faded."""
    panel = await opened(demo, sort="vs_max")
    assert panel.to_pandas()["vs_max"].abs().dropna().is_monotonic_decreasing
    panel.close()


async def test_the_table_and_a_source_read_the_field_once(demo: cl.Lab) -> None:
    """A switch with a source chosen must not compute the field for the table and again for it."""
    panel = await opened(demo)
    panel.select(panel.to_pandas()["source_id"].iloc[0])
    await panel.settled()
    panel._scale.value = True
    await panel.settled()
    held = panel._field_reader._held
    assert held is not None
    assert panel._shown is held[1]
    panel.close()


async def test_a_field_that_takes_long_to_read_is_shown_as_of_a_time(
    copy_of: Callable[..., Path],
) -> None:
    """After a commit a slow field is shown as of before, and says so; the chosen curve is new."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        panel = await opened(lab)
        name = panel.to_pandas()["source_id"].iloc[0]
        held = lab._context.store._held
        held.built_s = 60.0  # as if it had taken a minute
        held.as_of -= timedelta(seconds=30)
        lab._context.store._rest_until_s = math.inf  # a minute has not passed when this ends
        with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as writer:
            writer.execute("UPDATE photometry SET flux_jy = 77.0 WHERE source_id = ?", (name,))
            writer.commit()
        panel.refresh()
        await panel.settled()
        assert f"statistics as of {held.as_of:%H:%M:%S} UTC" in panel._counts
        panel.select(name)
        await panel.settled()
        assert set((await lab.sources.light_curve(name)).flux_jy) == {77.0}
        panel.close()


async def test_statistics_and_rules_are_of_one_state(
    copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the field is read anew between its two halves, the first must be read again."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        panel = await opened(lab)
        name = panel.to_pandas()["source_id"].iloc[0]
        store = lab._context.store
        store._held.built_s = 60.0
        store._rest_until_s = 0.0  # the next build begins at once
        store._held.as_of -= timedelta(seconds=30)
        with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as writer:
            writer.execute("UPDATE photometry SET flux_jy = 77.0 WHERE source_id = ?", (name,))
            writer.commit()
        plain = lab.sources.variability

        async def slow(**asked: Any) -> pd.DataFrame:
            made = await plain(**asked)
            await asyncio.wait([store._build])  # it ends before the rules are asked for
            return made

        monkeypatch.setattr(lab.sources, "variability", slow)
        panel.refresh()
        await panel.settled()
        shown = panel._shown.table.set_index("source_id").loc[name]
        assert shown["weighted_mean_jy"] == pytest.approx(77.0)
        panel.close()


async def test_a_database_without_photometry_says_so(copy_of: Callable[..., Path]) -> None:
    """No source at all must give an empty table and a plot that says it, and no failure."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        connection.execute("DELETE FROM photometry")
    connection.close()
    async with cl.open(folder) as lab:
        panel = await opened(lab)
        assert "0 of 0 sources" in panel._head.status.value
        assert "Too few bright sources" in panel._warning.value
        panel._scale.value = True
        await panel.settled()
        assert panel.state == "showing"
        panel.close()


async def test_the_first_curve_comes_before_the_field(demo: cl.Lab) -> None:
    """A named source's curve must be shown first, then the table, then the field's plot."""
    name = (await demo.sources.list_sources(limit=1, offset=7))[0].source_id
    panel = demo.sources.panel(source=name)
    shown: list[str] = []
    for what, part in (("curve", panel._curve), ("table", panel._table), ("η–V", panel._scatter)):
        part.show = watched(part.show, what, shown)
    await panel.settled()
    assert shown == ["curve", "table", "η–V"]
    assert demo.selection.source == panel.selected == name
    assert name in panel._facts.value
    panel.close()


def watched(show: Callable[..., Any], what: str, shown: list[str]) -> Callable[..., Any]:
    """What shows as before, and notes it."""

    def note(*given: Any, **options: Any) -> None:
        shown.append(what)
        show(*given, **options)

    return note


async def test_the_curve_does_not_wait_for_the_field(
    demo: cl.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen while the field is being read, a source must show its curve; its figures follow."""
    gate = asyncio.Event()
    read = demo.sources.variability

    async def slow(*given: Any, **options: Any) -> Any:
        await gate.wait()
        return await read(*given, **options)

    monkeypatch.setattr(demo.sources, "variability", slow)
    name = (await demo.sources.list_sources(limit=1))[0].source_id
    panel = demo.sources.panel()
    panel.select(name)
    async with asyncio.timeout(20):
        while "<details>" not in panel._fold.value:  # noqa: ASYNC110 - as a reader sees it
            await asyncio.sleep(0.02)
    assert panel._shown is None
    assert "detections" in panel._facts.value
    assert "p (constant)" not in panel._facts.value
    gate.set()
    await panel.settled()
    assert "p (constant)" in panel._facts.value
    panel.close()


async def test_a_chosen_source_is_marked_and_nothing_is_drawn_again(demo: cl.Lab) -> None:
    """Choosing must send the field's plot a mark alone; so must what others choose."""
    panel = await opened(demo)
    drawn = panel._scatter._serial
    names = panel.to_pandas()["source_id"].tolist()
    panel.select(names[0])
    await panel.settled()
    assert panel._scatter.selected == {names[0]}
    demo.selection.sources = set(names[3:6])
    assert panel._scatter.selected == {names[0], *names[3:6]}
    demo.selection.source = names[1]
    await panel.settled()
    assert panel._scatter.selected == set(names[1:2] + names[3:6])
    assert panel._curve.chart.name == f"light curve of {names[1]}"
    panel._text.widget.value = "NVSS J0"
    await panel.settled()
    assert panel._scatter._serial == drawn
    panel.close()


async def test_points_choose_one_or_several(demo: cl.Lab) -> None:
    """A click on a point must choose the source, a box the set, and Clear let go of all."""
    panel = await opened(demo)
    names = panel.to_pandas()["source_id"].tolist()
    answer(panel._scatter, "click", names[2])
    await panel.settled()
    assert demo.selection.source == panel._table._grid.chosen == names[2]
    assert panel._curve.chart.name == f"light curve of {names[2]}"
    assert panel._chip.layout.visibility == "hidden"
    answer(panel._scatter, "box", *names[4:9])
    assert demo.selection.sources == set(names[4:9])
    assert demo.selection.source == names[2]
    assert (panel._chip.layout.visibility, panel._chip.description) == (
        "visible", "✕ 5 sources in the set",
    )  # fmt: skip
    panel._rule.widget.value = "set"
    await panel.settled()
    assert set(panel.to_pandas()["source_id"]) == set(names[4:9])
    answer(panel._scatter, "lasso", names[0])
    await panel.settled()
    assert panel.to_pandas()["source_id"].tolist() == names[:1]
    panel._chip.click()
    await panel.settled()
    assert demo.selection.sources == set()
    assert len(panel.to_pandas()) == 0
    answer(panel._scatter, "clear")
    await panel.settled()
    assert demo.selection.source is None
    assert panel._curve.chart is None
    panel.close()


def answer(plot: Any, how: str, *keys: Any) -> None:
    """Say what a browser says when the reader selects."""
    numbers = list(plot._sent.numbers)
    chosen = np.array([numbers.index(key) for key in keys], np.uint32)
    plot._answer(None, {"kind": "select", "serial": plot._serial, "how": how}, [chosen.tobytes()])


async def test_an_epoch_chooses_its_image(demo: cl.Lab) -> None:
    """A click on an epoch must choose its image, and an image chosen elsewhere ring its epoch."""
    panel = await opened(demo)
    name = panel.to_pandas()["source_id"].iloc[0]
    panel.select(name)
    await panel.settled()
    lc = await demo.sources.light_curve(name)
    answer(panel._curve, "click", int(lc.row_id[3]))
    assert demo.selection.image == lc.image_path[3]
    demo.selection.image = lc.image_path[5]
    assert lc.row_id[5] in panel._curve.selected
    assert lc.row_id[3] not in panel._curve.selected
    answer(panel._curve, "clear")
    assert demo.selection.image is None
    panel.close()


async def test_a_source_that_is_none_is_told_in_words(demo: cl.Lab) -> None:
    """A name without photometry must be said where its numbers would be; the field is shown."""
    panel = demo.sources.panel(source="NVSS J999999+999999")
    await panel.settled()
    assert "NVSS J999999+999999" in panel._facts.value
    assert panel._curve.chart is None
    assert len(panel.to_pandas()) == len(await demo.sources.candidates())
    panel.close()


async def test_the_set_is_listed_by_its_code_too(demo: cl.Lab) -> None:
    """The code of a table narrowed to the set must name the set's sources."""
    names = {source.source_id for source in await demo.sources.list_sources(limit=3)}
    demo.selection.sources = names
    panel = await opened(demo, rule="set")
    assert set(panel.to_pandas()["source_id"]) == names
    assert f'["source_id"].isin({sorted(names)!r})' in panel.code()
    panel.close()
    demo.selection.clear()


@given(
    values=st.lists(st.one_of(st.floats(-3, 3), st.just(float("nan"))), min_size=1, max_size=30),
    by=st.sampled_from(["eta", "p_constant", "vs_max"]),
    data=st.data(),
)
def test_sources_are_listed_as_pandas_sorts_them(values: list[float], by: str, data: Any) -> None:
    """The order must be pandas' stable one, missing last; each listed name is found by place."""
    names = [f"s{at}" for at in range(len(values))]
    kept = data.draw(st.sets(st.sampled_from(names)))
    zeros = dict.fromkeys(("eta", "v", "p_constant", "vs_max", "weighted_mean_jy"), values)
    table = pd.DataFrame(
        {"source_id": names, **zeros, "nvss_flux_mjy": values, "selected_by": ""}
        | {"n_used": 2, "n_excluded": 1}
    )
    places = {name: at for at, name in enumerate(names)}
    field = Field(table, np.ones(len(names), bool), {}, names, places, {})
    listed = list_sources(field, text=None, rule=CHOSEN_SET, chosen=kept | {"gone"}, by=by)
    rows = table[table["source_id"].isin(kept)]
    key = rows[by].abs() if by == "vs_max" else rows[by]
    right = key.sort_values(ascending=by == "p_constant", kind="stable", na_position="last")
    assert list(listed.names) == table["source_id"].loc[right.index].tolist()
    assert [listed.names.index(name) for name in listed.names] == list(range(len(kept)))
    assert "gone" not in listed.names
    assert listed.n_excluded == len(kept)
    assert listed.to_pandas()["source_id"].tolist() == list(listed.names)
