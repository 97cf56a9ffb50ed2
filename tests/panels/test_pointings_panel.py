"""The pointings panel: what is out of order, and what a click, a box and the selection do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import contimg_lab as cl

GAP = "2025-10-30"


async def test_what_is_out_of_order_is_said(demo: cl.Lab) -> None:
    """Counts of gaps, jumps and raw data must stand on the first line, each one in the list."""
    panel = demo.ms.panel()
    await panel.settled()
    drift = await demo.ms.drift(await demo.last_night())
    assert "0 of 36 off the meridian (median RA − LST +0.33 arcmin)" in panel._counts
    assert "2 raw groups without an MS" in panel._counts
    for group in drift.raw_without_ms or ():
        assert group.group_id in panel._findings.value
    panel._night.choose(GAP)
    await panel.settled()
    (gap,) = (await demo.ms.drift(GAP)).gaps
    assert "1 gap over 10 min" in panel._counts
    assert f"{gap.minutes:.1f}" in panel._findings.value
    page, text = panel._static_page()
    assert "Gaps over 10 min: 1" in page
    assert "15.5 min after" in text
    panel.close()


@pytest.mark.parametrize("view", ["sky", "strip", "declination", "drift"])
async def test_every_view_rings_the_same_ms(view: str, demo: cl.Lab) -> None:
    """In each view the chosen MS must be ringed, in the figure as well, and hover tells its row."""
    panel = demo.ms.panel(night=GAP, view=view)
    await panel.settled()
    path = panel.to_pandas()["path"].iloc[5]
    demo.selection.ms_path = path
    await panel.settled()
    assert panel._plot_box.selected == {path}
    assert "selected" in [str(line.get_label()) for line in panel.figure().axes[0].lines]
    chart = panel._plot_box.chart
    assert any(path in points.keys for points in chart.points)
    columns = {column.name for points in chart.points for column in points.columns}
    assert {"middle", "at", "RA less LST"} <= columns
    panel.refresh()
    await panel.settled()
    assert panel._plot_box.selected == {path}
    panel.close()


async def test_a_click_chooses_and_a_box_marks(demo: cl.Lab) -> None:
    """One point must become the selection; several must be marked, told of, and stay so."""
    panel = demo.ms.panel(night=GAP)
    await panel.settled()
    paths = panel.to_pandas()["path"].tolist()
    panel._on_plot(frozenset(paths[:1]), "click")
    await panel.settled()
    assert demo.selection.ms_path == panel.selected == panel._table._grid.chosen == paths[0]
    panel._plot_box.select(paths[1:4])
    panel._on_plot(frozenset(paths[1:4]), "box")
    await panel.settled()
    assert demo.selection.ms_path == paths[0]
    assert "3 MS" in panel._facts.value
    panel.refresh()
    await panel.settled()
    assert panel._plot_box.selected == set(paths[1:4])
    assert "3 MS" in panel._facts.value
    panel._on_plot(frozenset(), "clear")
    await panel.settled()
    assert demo.selection.ms_path is None
    assert "Choose an MS" in panel._facts.value
    panel.close()


async def test_jumps_and_dates_are_found(copy_of: Callable[..., Path]) -> None:
    """A tile a degree off must be listed as a jump; one east of the meridian as off it."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        like = f"%/ms/{GAP}T0%"
        rows = db.execute(
            "SELECT path FROM ms_index WHERE path LIKE ? ORDER BY path", (like,)
        ).fetchall()
        jumped, east = rows[4][0], rows[6][0]
        for column in ("dec_deg", "pointing_dec_deg"):
            db.execute(f"UPDATE ms_index SET {column} = {column} + 1 WHERE path = ?", (jumped,))
        for column in ("ra_deg", "pointing_ra_deg"):
            db.execute(f"UPDATE ms_index SET {column} = {column} + 0.5 WHERE path = ?", (east,))
    db.close()
    async with cl.open(folder) as lab:
        panel = lab.ms.panel(night=GAP, view="declination")
        await panel.settled()
        assert "1 declination jump;" in panel._counts
        assert "1 of 34 off the meridian" in panel._counts
        assert "Declination jumps: 1" in panel._findings.value
        assert "new pointing" in panel._findings.value
        (marked,) = [p for p in panel._plot_box.chart.points if p.role == "jump"]
        assert marked.keys == (jumped,)
        assert marked.y[0] == pytest.approx(60.0, abs=0.5)
        panel.close()


async def test_the_residual_of_the_table_is_that_of_the_lab(demo: cl.Lab) -> None:
    """The column in arcmin must be the drift's residual of the same MS."""
    panel = demo.ms.panel()
    await panel.settled()
    drift = await demo.ms.drift(await demo.last_night())
    at = [column.title for column in panel._table.rows.columns].index("RA − LST (arcmin)")
    shown = {row["key"]: float(row["cells"][at]) for row in panel._table.rows.page(0, 100)}
    wanted = dict(zip(drift.path, np.round(drift.residual_deg * 60.0, 2).tolist(), strict=True))
    assert shown == wanted
    panel.close()


async def test_positions_follow_the_units(demo: cl.Lab) -> None:
    """Sexagesimal must change header, cells, facts and the rows of points, and back again."""
    panel = demo.ms.panel(night=GAP)
    await panel.settled()
    panel.select(panel.to_pandas()["path"].iloc[0])
    await panel.settled()
    assert "RA (deg)" in [column.title for column in panel._table.rows.columns]
    demo.view.units.choose(positions="sexagesimal")
    await panel.settled()
    assert "RA (h m s)" in [column.title for column in panel._table.rows.columns]
    ra, dec = panel._table.rows.page(0, 1)[0]["cells"][2:4]
    assert f"{ra} {dec}" in panel._facts.value
    at = {c.values[0] for p in panel._plot_box.chart.points for c in p.columns if c.name == "at"}
    assert f"{ra} {dec}" in at
    demo.view.units.choose(positions="deg")
    await panel.settled()
    assert "Dec (deg)" in [column.title for column in panel._table.rows.columns]
    panel.close()
