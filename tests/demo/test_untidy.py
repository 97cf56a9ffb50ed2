"""The disorder of a working site is there, and the truth tells where."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from contimg_lab.demo import Truth

_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} (DEBUG|INFO|WARNING|ERROR) \[")


def test_shared_logs_are_in_local_time_across_the_clock_change(seasons: dict[str, Path]) -> None:
    """Lines of 2 November go back by an hour once, as clocks in California did."""
    logs = seasons["untidy"] / "logs"
    texts = [(logs / f"pipeline.log{tail}").read_text() for tail in (".2", ".1", "")]
    lines = [line for line in "".join(texts).splitlines() if _LINE.match(line)]
    times = [datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S") for line in lines]  # noqa: DTZ007
    back = [a for a, b in pairwise(times) if b < a]
    assert len(back) == 1
    assert back[0].date().isoformat() == "2025-11-02"
    assert back[0].hour == 1
    repeated = [t for t in times if t.date().isoformat() == "2025-11-02" and t.hour == 1]
    assert len(repeated) > 10


def test_log_files_by_category(seasons: dict[str, Path]) -> None:
    """Conversion is JSON in UTC, every other shared file text; a few runs have their own."""
    logs = seasons["untidy"] / "logs"
    for line in (logs / "conversion.log").read_text().splitlines():
        record = json.loads(line)
        assert record["timestamp"].endswith("Z")
        assert record["ms_path"].endswith(".ms")
    for name in ("calibration", "imaging", "pipeline", "database", "error"):
        assert _LINE.match((logs / f"{name}.log").read_text())
    for name in ("pipeline.log.1", "pipeline.log.2", "imaging.log.1", "imaging.log.2"):
        assert (logs / name).stat().st_size > 10_000
    own = list(logs.glob("job-*.log"))
    assert 3 <= len(own) <= 8
    errors = (logs / "error.log").read_text()
    assert "Traceback (most recent call last):" in errors
    repeated = re.findall(r"ERROR .*?(\S+\.ms)", errors)
    assert len(repeated) > len(set(repeated))


def test_names(untidy: sqlite3.Connection, untidy_truth: Truth) -> None:
    """Names have dashes, folders, quotes, suffixes, twins, and some hold no time at all."""
    paths = [row[0] for row in untidy.execute("SELECT path FROM ms_index")]
    assert sum(bool(re.search(r"T\d\d-\d\d-\d\d\.ms$", path)) for path in paths) > 20
    assert any('"' in path and "'" in path and "%" in path and " " in path for path in paths)
    twins = [fault.ms_path or "" for fault in untidy_truth.faults_of("twin")]
    assert len(twins) == 2
    assert all(twin.replace("_selfcal", "") in paths for twin in twins)
    rows = untidy.execute(
        "SELECT group_id FROM ms_index WHERE start_mjd IS NULL AND path NOT GLOB '*/????-??-??T*'"
    ).fetchall()
    assert len(rows) == len(untidy_truth.faults_of("name_without_time")) == 3
    assert sum(group is None for (group,) in rows) == 1


def test_rewritten_rows_and_words(untidy: sqlite3.Connection, untidy_truth: Truth) -> None:
    """Later stages left NULLs behind them; both ages of stage words and unknown ones occur."""
    for fault in untidy_truth.faults_of("rewritten_row"):
        row = untidy.execute(
            "SELECT status, imagename, start_mjd, mid_mjd, end_mjd, cal_applied FROM ms_index "
            "WHERE path = ?", (fault.ms_path,)).fetchone()  # fmt: skip
        assert row == (None, None, None, None, None, 0)
    stages = {row[0] for row in untidy.execute("SELECT DISTINCT stage FROM ms_index")}
    assert stages >= {
        "conversion", "calibration_solve", "calibration", "selfcal", "imaging", "converted",
        "calibrated", "imaged", "mosaicked", "cataloged", "rfi_excision",
    }  # fmt: skip
    statuses = {row[0] for row in untidy.execute("SELECT DISTINCT status FROM ms_index")}
    assert statuses >= {"done", "completed", "converted", "failed", "processing",
                        "skipped_no_caltables", "awaiting_review", None}  # fmt: skip


def test_raw_groups_without_an_ms(untidy: sqlite3.Connection, untidy_truth: Truth) -> None:
    """Two groups came after the last MS and are not converted yet."""
    (last,) = untidy.execute("SELECT max(group_id) FROM ms_index").fetchone()
    later = untidy.execute(
        "SELECT DISTINCT group_id FROM hdf5_files WHERE group_id > ?", (last,)
    ).fetchall()
    told = [fault.detail for fault in untidy_truth.faults_of("raw_without_ms")]
    assert sorted(f"group {group}" for (group,) in later) == sorted(told)
    assert len(told) == 2


def test_images(untidy: sqlite3.Connection, untidy_truth: Truth) -> None:
    """Five types of image, CASA names, text and infinity for noise, one row deleted."""
    types = {row[0] for row in untidy.execute("SELECT DISTINCT type FROM images")}
    assert types == {"image", "5min", "pbcor", "residual", "mosaic"}
    casa = untidy.execute("SELECT count(*) FROM images WHERE path LIKE '%.img.image.pbcor'")
    assert casa.fetchone()[0] > 100
    kinds = {row[0] for row in untidy.execute("SELECT DISTINCT typeof(noise_jy) FROM images")}
    assert kinds == {"real", "text", "null"}
    (gone,) = untidy_truth.faults_of("image_row_deleted")
    count = "SELECT count(*) FROM {} = ?"
    assert untidy.execute(count.format("images WHERE path"), (gone.image_path,)).fetchone() == (0,)
    found = untidy.execute(count.format("photometry WHERE image_path"), (gone.image_path,))
    assert found.fetchone()[0] > 3


def test_photometry_values(untidy: sqlite3.Connection) -> None:
    """Text, NULL, infinite, zero and negative values stand in the photometry, and rows twice."""
    rows = untidy.execute("SELECT flux_jy, flux_err_jy FROM photometry").fetchall()
    fluxes, errors = [row[0] for row in rows], [row[1] for row in rows]
    assert "--" in fluxes
    assert "nan" in errors
    assert math.inf in fluxes
    assert math.inf in errors
    assert 0.0 in fluxes
    assert 0.0 in errors
    assert any(isinstance(error, float) and error < 0 for error in errors)
    assert untidy.execute(
        "SELECT count(*) FROM (SELECT 1 FROM photometry WHERE source_id IS NOT NULL "
        "GROUP BY source_id, image_path HAVING count(*) > 1)"
    ).fetchone() == (8,)
    nameless, timeless, peaks = untidy.execute(
        "SELECT sum(source_id IS NULL), sum(mjd IS NULL), "
        "sum(flux_jy IS NULL AND peak_jyb IS NOT NULL) FROM photometry"
    ).fetchone()
    assert nameless == 40
    assert timeless >= 160
    assert peaks > 300


def test_second_shapes_and_hostile_text(untidy: sqlite3.Connection) -> None:
    """Pointings count in MJD, figures hold times as text; hostile text is in three tables."""
    low, high = untidy.execute(
        "SELECT min(timestamp), max(timestamp) FROM pointing_history"
    ).fetchone()
    assert 60000 < low < high < 62000
    (text,) = untidy.execute("SELECT updated_at FROM variability_stats").fetchone()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+", text)
    for table, column in (
        ("alert_history", "message"), ("batch_job_items", "error"), ("caltables", "notes"),
    ):  # fmt: skip
        found = untidy.execute(f"SELECT count(*) FROM {table} WHERE {column} LIKE '%<script>%'")
        assert found.fetchone() == (1,)
    bad = 0
    for (quality,) in untidy.execute("SELECT quality_metrics FROM caltables").fetchall():
        try:
            json.loads(quality)
        except (TypeError, ValueError):
            bad += 1
    assert bad >= 4
    logs = untidy.execute("SELECT count(logs) FROM jobs").fetchone()[0]
    assert logs > 20
