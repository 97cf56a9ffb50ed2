"""A night at a glance: runs in figures, the drift against the meridian, hours by checks."""

from __future__ import annotations

import sqlite3
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.analysis.hour_checks import CHECKS, LIMITS
from contimg_lab.demo import read_truth

WORDS = {"pass", "warn", "fail", "not applicable"}


@pytest.fixture
def truth(season_folder):
    """What was planted in the unified season."""
    return read_truth(season_folder())


async def test_a_summary_counts_the_runs(lab):
    """Counts by status and cause, and durations, are those of the listed runs."""
    for night in (None, (await lab.nights())[-2]):
        summary = await lab.jobs.summary(night)
        runs = await lab.jobs.list_jobs(night=night, limit=None)
        assert summary.n_runs == len(runs)
        assert summary.status_counts == Counter(run.status for run in runs)
        failed = [run for run in runs if run.status == "failed"]
        assert summary.cause_counts == Counter(run.cause for run in failed)
        known = [r.duration_s for r in runs if r.status == "completed" and r.duration_s is not None]
        assert summary.n_durations == len(known)
        if not known:
            assert np.isnan(summary.duration_median_s)
            assert summary.no_outliers_why
            continue
        median = float(np.median(known))
        mad = float(np.median(np.abs(np.array(known) - median)))
        assert (summary.duration_median_s, summary.duration_mad_s) == (median, mad)
        wanted = {
            run.run_id
            for run in runs
            if run.status == "completed"
            and run.duration_s is not None
            and len(known) >= 10
            and mad > 0
            and abs(run.duration_s - median) > 5 * 1.482602218505602 * mad
        }
        assert {run.run_id for run in summary.outliers} == wanted
        table = summary.to_pandas()
        assert table[table["what"] == "status"]["value"].sum() == len(runs)
        assert table.attrs["provenance"]["call"] == "jobs.summary"
        assert all(cause in repr(summary) for cause in summary.cause_counts)


async def test_planted_failures_and_late_runs_are_in_the_summary(demo, truth):
    """Every planted failure is counted under its cause, and the late night is unusual."""
    summary = await demo.jobs.summary()
    assert summary.cause_counts == Counter(f.cause for f in truth.faults_of("failed_run"))
    (late,) = truth.faults_of("late_set")
    runs = await demo.jobs.list_jobs(night=late.night, status="completed", limit=None)
    unusual = {run.run_id for run in summary.outliers}
    tiles = {run.run_id for run in runs if "/calibrators/" not in run.ms_path}
    assert len(tiles & unusual) > 0.9 * len(tiles)
    assert "more" in repr(summary)
    assert (await demo.jobs.summary("1999-01-01")).n_runs == 0
    with pytest.raises(errors.InvalidInput):
        await demo.jobs.summary("yesterday")


async def test_the_drift_of_every_layout_says_what_it_knows(lab):
    """Each MS has a residual where it has a time and a pointing, and none is invented."""
    drift = await lab.ms.drift()
    ms = await lab.ms.table()
    made = drift.to_pandas()
    assert made["path"].tolist() == ms["path"].tolist()
    known = (ms["ra_deg"].notna() & ms["mid_mjd"].notna()).to_numpy()
    assert made["residual_deg"].notna().tolist() == known.tolist()
    assert (made["dec_state"] == "unknown").tolist() == (~known).tolist()
    assert made["ra_deg"].tolist() == ms["ra_deg"].tolist()
    residual = made["residual_deg"].dropna().to_numpy(float)
    assert (np.abs(residual) <= 180.0).all()
    if drift.looks_of_date:
        assert 0.2 < np.median(residual) < 0.5
        assert "not J2000" in repr(drift)
    elif known.any():
        assert abs(np.median(residual)) < 0.02
    assert made.attrs["units"]["residual_deg"] == "deg (of date)"
    night = (await lab.nights())[-1]
    one = await lab.ms.drift(night)
    assert set(one.ms_night) == {night}
    assert one.gaps == tuple(g for g in drift.gaps if g.after_path in set(one.path))
    assert one.residual_deg == pytest.approx(
        drift.residual_deg[np.array([n == night for n in drift.ms_night])], nan_ok=True
    )
    assert one.gaps == (await lab.qa.night(night)).gaps


async def test_raw_files_without_an_ms_are_found_or_not_known(lab):
    """Where a site keeps no table of raw files, that is said, and not that none is left."""
    drift = await lab.ms.drift()
    has_table = await lab._context.database.find_table("hdf5_files") is not None
    assert (drift.raw_without_ms is None) == (not has_table)
    if not has_table:
        assert "hdf5_files" in drift.raw_why
        assert "hdf5_files" in repr(drift)


async def test_planted_raw_files_and_holes_are_found(demo, truth):
    """The groups and holes that were planted are found, on their nights, and no others."""
    drift = await demo.ms.drift()
    left = {f"group {group.group_id}" for group in drift.raw_without_ms}
    assert left == {fault.detail for fault in truth.faults_of("raw_without_ms")}
    assert {group.n_subbands for group in drift.raw_without_ms} == {16}
    night = drift.raw_without_ms[0].night
    assert (await demo.ms.drift(night)).raw_without_ms == drift.raw_without_ms
    assert (await demo.ms.drift("2025-10-08")).raw_without_ms == ()
    nights = {gap.after_path.rsplit("/", 1)[1][:10] for gap in drift.gaps}
    long = {f.night for f in truth.faults_of("hole") if float(f.detail.split()[0]) > 5.0}
    assert nights == long
    assert not drift.off_meridian.any()
    assert set(drift.dec_state) == {"same"}


async def test_a_moved_dish_and_a_wrong_clock_are_seen(copy_of):
    """A tile at another declination, one of another strip, and one off the meridian are named."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        rows = db.execute("SELECT path FROM ms_index WHERE path LIKE '%/ms/2025-10-15%' ORDER BY 1")
        paths = [row[0] for row in rows]
        for place, column, change in (
            (3, "dec_deg", "+ 0.2"),
            (5, "dec_deg", "- 6"),
            (7, "ra_deg", "+ 0.15"),
            (9, "mid_mjd", "+ 0.001"),
            (11, "ra_deg", "+ NULL"),
        ):
            for name in [column] if column == "mid_mjd" else [column, f"pointing_{column}"]:
                sql = f"UPDATE ms_index SET {name} = {name} {change} WHERE path = ?"
                db.execute(sql, (paths[place],))
        db.execute("DELETE FROM pointing_history")
    async with cl.open(folder) as lab:
        drift = (await lab.ms.drift("2025-10-15")).to_pandas().set_index("path")
        hours = (await lab.qa.hours("2025-10-15")).set_index("hour")
        ms = (await lab.ms.table(night="2025-10-15")).set_index("path")
    states = drift["dec_state"]
    odd = {3: "new pointing", 5: "wrong strip", 11: "unknown"}
    assert {p: s for p, s in states.items() if s != "same"} == {paths[k]: s for k, s in odd.items()}
    off = drift["residual_deg"][drift["off_meridian"]]
    assert off.to_dict() == {
        paths[7]: pytest.approx(0.15, abs=0.02),
        paths[9]: pytest.approx(-0.361, abs=0.02),  # 86.4 s of time, turned by the Earth
    }
    assert hours.loc[ms.loc[paths[5], "hour"], "declination_word"] == "fail"
    assert hours.loc[ms.loc[paths[3], "hour"], "declination_word"] in ("warn", "fail")


async def test_an_index_without_groups_is_matched_by_name(copy_of):
    """Where a later stage lost the group of an MS, its name tells that it was made."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("UPDATE ms_index SET group_id = NULL")
        db.execute("UPDATE hdf5_files SET timestamp_mjd = 'broken' WHERE rowid % 2 = 0")
    async with cl.open(folder) as lab:
        drift = await lab.ms.drift()
        last = await lab.ms.drift(await lab.last_night())
    assert len(drift.raw_without_ms) == 2
    assert last.raw_without_ms == drift.raw_without_ms


async def test_hours_have_a_value_and_a_word_for_every_check(lab):
    """Each hour with tiles has every check; what cannot be judged says why, and never passes."""
    for night in (await lab.nights())[::7]:
        hours = await lab.qa.hours(night)
        summary = await lab.qa.night(night)
        assert hours["hour"].tolist() == [h.hour for h in summary.hours]
        assert hours["n_tiles"].tolist() == [h.n_tiles for h in summary.hours]
        assert hours["n_gaps"].tolist() == [h.n_gaps for h in summary.hours]
        noise = [h.noise_median_jy for h in summary.hours]
        assert hours["noise_median_jy"].to_numpy(float, na_value=np.nan) == pytest.approx(
            np.array(noise, float), nan_ok=True
        )
        assert tuple(hours.attrs["checks"]) == CHECKS == tuple(hours.attrs["limits"])
        for check, column in hours.attrs["checks"].items():
            assert hours.columns.get_loc(f"{check}_word") == hours.columns.get_loc(column) + 1
            assert set(hours[f"{check}_word"]) <= WORDS
            for row in hours.itertuples():
                assert hours.attrs["reasons"][check][row.hour]
                if pd.isna(getattr(row, column)):
                    assert getattr(row, f"{check}_word") in ("not applicable", "fail")
        for check in hours.attrs["not_applicable"]:
            assert set(hours[f"{check}_word"]) == {"not applicable"}
        assert hours.attrs["limits"]["noise"]["source"] == LIMITS["noise"].source
        assert hours.attrs["provenance"]["call"] == "qa.hours"


async def test_what_a_site_lacks_is_not_applicable(season_folder):
    """An older file has no minor axis and no pointing: the words say so, with the column."""
    async with cl.open(season_folder(layout="split-old")) as lab:
        hours = await lab.qa.hours(await lab.last_night())
    why = hours.attrs["not_applicable"]
    assert set(why) == {"beam", "declination"}
    assert all("beam_minor_arcsec" in text for text in why["beam"].values())


async def test_tables_that_are_gone_are_not_applicable(copy_of):
    """Without images, photometry or a bandpass table nothing about them passes."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("UPDATE caltables SET table_type = 'K'")
        db.execute("ALTER TABLE photometry RENAME TO other")
    async with cl.open(folder) as lab:
        hours = await lab.qa.hours(await lab.last_night())
    assert set(hours.attrs["not_applicable"]) == {"calibration", "flux_ratio"}
    assert hours["n_none"].isna().all()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("ALTER TABLE images RENAME TO pictures")
    async with cl.open(folder) as lab:
        hours = await lab.qa.hours(await lab.last_night())
    assert set(hours.attrs["not_applicable"]) == {"calibration", "noise", "beam", "flux_ratio"}


async def test_planted_faults_show_at_a_glance(demo, truth):
    """Each planted fault is a word other than pass, in its hour where it has one."""
    kinds = ("noisy_image", "hole", "no_calibration", "withdrawn_set", "late_set", "flux_scale")
    faults = [fault for kind in (*kinds, "failed_run") for fault in truth.faults_of(kind)]
    ms = (await demo.ms.table()).set_index("path")
    nights = {fault.night for fault in faults}
    made = {night: (await demo.qa.hours(night)).set_index("hour") for night in nights}
    looked = Counter()
    for fault in faults:
        hours = made[fault.night]
        looked[fault.kind] += 1
        if fault.kind == "noisy_image":
            assert hours.loc[ms.loc[fault.ms_path, "hour"], "noise_word"] in ("warn", "fail")
        elif fault.kind == "failed_run":
            if ms.loc[fault.ms_path, "kind"] == "tile":  # a calibrator may stand alone in its hour
                assert hours.loc[ms.loc[fault.ms_path, "hour"], "failed_word"] in ("warn", "fail")
                looked["tile"] += 1
        elif fault.kind == "hole":
            wanted = 1 if float(fault.detail.split()[0]) > 5.0 else 0
            assert hours["n_gaps"].sum() == wanted
            assert (hours["gaps_word"] == "warn").sum() == wanted
        elif fault.kind == "late_set":
            assert set(hours["calibration_word"]) == {"warn"}
        elif fault.kind == "flux_scale":
            (bad,) = hours.index[hours["flux_ratio_word"] == "fail"]
            assert hours.loc[bad, "flux_ratio"] == pytest.approx(0.7, abs=0.05)
        else:
            assert set(hours["calibration_word"]) == {"fail"}
    assert set(looked) == {*kinds, "failed_run", "tile"}
    assert looked["tile"] > 10


async def test_ordinary_hours_pass(demo, truth):
    """Where nothing was planted, noise, beam, scale and pointing nearly always pass."""
    special = {fault.night for fault in truth.faults if fault.kind != "null_value"}
    words = Counter()
    for night in await demo.nights():
        if night in special:
            continue
        hours = await demo.qa.hours(night)
        full = hours[hours["n_tiles"] >= 8]
        for check in ("calibration", "noise", "beam", "flux_ratio", "gaps", "declination"):
            words.update(full[f"{check}_word"])
    assert words["pass"] > 0.95 * words.total()
    assert words["fail"] == 0


async def test_a_noise_is_compared_with_the_same_sky(demo, truth):
    """The reference of an hour is the median of earlier nights' tiles at its sidereal time."""
    night = truth.faults_of("noisy_image")[0].night
    hours = await demo.qa.hours(night)
    assert hours["noise_reference"].str.contains("earlier nights").all()
    reference = hours["noise_reference_jy"].to_numpy(float)
    assert np.abs(reference / truth.array_noise_jy - 1.0).max() < 0.25
    ratio = (hours["noise_median_jy"] / hours["noise_reference_jy"]).to_numpy(float)
    assert hours["noise_ratio"].to_numpy(float) == pytest.approx(ratio)


async def test_a_single_night_is_compared_with_itself_or_not_at_all(copy_of):
    """With one night the other hours are the reference; with one hour there is none."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("DELETE FROM ms_index WHERE path NOT LIKE '%/2025-10-15T%'")
    async with cl.open(folder) as lab:
        night = await lab.qa.hours("2025-10-15")
    assert set(night["noise_reference"]) == {"the night's other hours"}
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("DELETE FROM ms_index WHERE path NOT LIKE '%/2025-10-15T06%'")
    async with cl.open(folder) as lab:
        alone = await lab.qa.hours("2025-10-15")
    assert alone["hour"].tolist() == [6]
    assert alone["noise_word"].tolist() == ["not applicable"]
    assert alone["noise_median_jy"].notna().all()
    assert "compare" in alone.attrs["reasons"]["noise"][6]


@pytest.mark.parametrize("call", ["drift", "hours"])
async def test_a_night_must_be_a_date(demo, call):
    """What is no date is refused by every call that takes a night."""
    asked = {"drift": demo.ms.drift, "hours": demo.qa.hours}[call]
    for night in ("yesterday", "2025-13-01", 5, ""):
        with pytest.raises(errors.InvalidInput):
            await asked(night)
    if call == "hours":
        with pytest.raises(errors.NotFound):
            await asked("1999-01-01")
        with pytest.raises(errors.InvalidInput):
            await asked(await demo.last_night(), max_age_s=-1.0)
    else:
        assert len(await asked("1999-01-01")) == 0


async def test_a_sites_own_limits_judge_its_hours(season_folder, monkeypatch, tmp_path):
    """What a site's file says of a limit decides the word, and stands beside the table."""
    folder = season_folder()
    async with cl.open(folder) as lab:
        night = (await lab.nights())[-2]
        before = await lab.qa.hours(night)
    path = tmp_path / "limits.toml"
    path.write_text('[sets.dsa110.beam]\nfail = {value = 1.0, source = "our wiki"}\n')
    monkeypatch.setenv("CONTIMG_LAB_THRESHOLDS", str(path))
    async with cl.open(folder) as lab:
        after = await lab.qa.hours(night)
    assert "pass" in set(before["beam_word"])
    assert set(after["beam_word"][before["beam_word"] == "pass"]) == {"fail"}
    assert after["tiles_word"].tolist() == before["tiles_word"].tolist()
    assert after.attrs["limits"]["beam"]["fail"] == "axis ratio above 1"
    assert "our wiki" in after.attrs["limits"]["beam"]["source"]
