"""The cal tables panel: coverage, ages, tiers, quality against its floor, and what a click does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import contimg_lab as cl

NIGHT = "2025-10-26"


async def test_values_beyond_the_floor_have_a_sign_and_a_word(demo: cl.Lab) -> None:
    """Each table beyond a limit must be listed, and its cell say fail or warn."""
    panel = demo.caltables.panel(night=NIGHT)
    await panel.settled()
    quality = (await demo.caltables.quality()).set_index("path")
    titles = [column.title for column in panel._table.rows.columns]
    at = {name: titles.index(title) for name, title in
          (("snr_mean", "mean SNR"), ("flagged_fraction", "flagged (0–1)"))}  # fmt: skip
    rows = panel._table.rows.page(0, 100)
    assert rows
    for row in rows:
        for name, place in at.items():
            word = quality.loc[row["key"], f"{name}_word"]
            assert (word in row["cells"][place]) == (word != "pass")
    assert "mean SNR: warn below 10, fail below 5" in panel._covered.value
    assert "21 of 117 antenna slots are empty" in panel._covered.value
    panel.close()


async def test_tiers_follow_the_dates(copy_of: Callable[..., Path], demo: cl.Lab) -> None:
    """Borrowed gains must make tier B, a borrowed bandpass tier C, and be counted in words."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("DELETE FROM calibration_applied")
        # windows stay, but the tables were solved on the day before
        db.execute(
            "UPDATE caltables SET source_ms_path = '/ms/2025-11-05T03:43:40.ms' "
            "WHERE path LIKE '%2025-11-06T%' AND table_type IN ('GA', 'GP')"
        )
    db.close()
    async with cl.open(folder) as lab:
        tiers = await lab.caltables.tiers("2025-11-06")
        assert set(tiers["tier"]) == {"B"}
        assert set(tiers["told_by"]) == {"validity"}
        assert set(tiers["gain_date"]) == {"2025-11-05"}
        panel = lab.caltables.panel()
        await panel.settled()
        assert "36 B (gains borrowed)" in panel._counts
        panel.close()
    recorded = await demo.caltables.tiers("2025-11-06")
    assert {"A"} == set(recorded["tier"])
    applied = recorded[recorded["told_by"] == "applied"]
    assert len(applied) == 32


async def test_an_ms_tells_its_age(demo: cl.Lab) -> None:
    """An MS chosen on the plot must choose its bandpass table, with state, hours and tier."""
    panel = demo.caltables.panel(night=NIGHT)
    await panel.settled()
    covers = await demo.caltables.coverage(NIGHT)
    row = covers[(covers["table_type"] == "BP") & (covers["state"] == "nearest")].iloc[3]
    panel._on_plot(frozenset([row["ms_path"]]), "click")
    await panel.settled()
    assert demo.selection.ms_path == row["ms_path"]
    assert panel.selected == row["caltable_path"]
    assert panel._timeline.selected == {row["ms_path"], row["caltable_path"]}
    assert panel._history.selected == {row["caltable_path"]}
    assert f"nearest; {row['distance_hours']:.1f} h from its middle" in panel._facts.value
    assert "A: bandpass and gains of the same date" in panel._facts.value
    panel.close()


async def test_a_window_or_a_point_of_the_history_chooses_a_table(demo: cl.Lab) -> None:
    """Either must become the selection; several must change nothing; Clear must clear."""
    panel = demo.caltables.panel()
    await panel.settled()
    paths = panel.to_pandas()["path"].tolist()
    panel._on_plot(frozenset(paths[:1]), "click")
    await panel.settled()
    assert demo.selection.caltable == panel.selected == panel._table._grid.chosen == paths[0]
    assert "solint=inf, minsnr=3.0, refant=103" in panel._facts.value
    assert "gaincal 6.7.0" in panel._facts.value
    panel._on_plot(frozenset(paths[:3]), "box")
    assert demo.selection.caltable == paths[0]
    old = panel._history.chart.points[0].keys[0]
    panel._on_history(frozenset([old]), "click")
    await panel.settled()
    assert demo.selection.caltable == panel.selected == old
    panel._on_history(frozenset(), "clear")
    await panel.settled()
    assert demo.selection.caltable is None
    panel.close()


async def test_views_change_the_plots_alone(demo: cl.Lab) -> None:
    """Ages, another type and another metric must be drawn without another table."""
    panel = demo.caltables.panel(night=NIGHT)
    await panel.settled()
    shown, read_at = panel.to_pandas(), panel._read_at
    panel._view.choose("age")
    panel._type.choose("GP")
    panel._metric.choose("flagged_fraction")
    await panel.settled()
    assert "Age of GP tables" in panel._timeline.alt
    assert "Flagged fraction of GP over the nights" in panel._history.alt
    assert panel._read_at == read_at
    assert panel.to_pandas().equals(shown)
    panel.close()


async def test_unreadable_quality_is_shown_as_it_stands(copy_of: Callable[..., Path]) -> None:
    """Malformed JSON must be shown as text; what the pipeline said of a table as words."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        paths = [row[0] for row in db.execute("SELECT path FROM caltables ORDER BY id DESC")]
        told = json.dumps({"qa_passed": False, "snr_mean": 4.0, "issues": ["too few", "late"]})
        db.execute("UPDATE caltables SET quality_metrics = '{\"snr' WHERE path = ?", (paths[0],))
        db.execute("UPDATE caltables SET quality_metrics = ? WHERE path = ?", (told, paths[1]))
        db.execute("UPDATE caltables SET solver_params = '[1' WHERE path = ?", (paths[1],))
    db.close()
    async with cl.open(folder) as lab:
        panel = lab.caltables.panel(night="all")
        await panel.settled()
        panel.select(paths[0])
        await panel.settled()
        assert "{&quot;snr" in panel._facts.value
        panel.select(paths[1])
        await panel.settled()
        assert "✖ fail 4.000" in panel._facts.value
        assert "too few; late" in panel._facts.value
        assert "[1" in panel._facts.value
        panel.close()
