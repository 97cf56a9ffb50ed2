"""What the truth says was planted is really in the tables."""

from __future__ import annotations

import math
import re
import sqlite3
import statistics
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from contimg_lab.demo import Truth
from contimg_lab.times import mjd_from_name

_WORDS = {
    "memory": "memoryerror|killed", "timeout": "timeout",
    "io": "filenotfound|permission|isadirectory|errno 28|errno 122",
    "validation": "valueerror|typeerror|missing parameter",
    "calibration": "calibration|caltable|calibrator not found|all flagged|low snr",
    "conversion": "uvh5|conversion|measurement set|incomplete subband|uvw",
    "database": "database is locked|no such column", "resource": "resource|limit",
    "subprocess": r"exit code -\d+",
}  # fmt: skip


def _cause(error: str) -> str:
    """The practice's order of tests, on what is left when paths are taken out."""
    code = re.search(r"exit code (-?\d+)", error)
    if code:
        return {"-9": "memory"}.get(code.group(1), "subprocess")
    bare = re.sub(r"/\S+", "", error.lower())
    return next((name for name, words in _WORDS.items() if re.search(words, bare)), "general")


def test_failed_runs_of_every_cause(
    tidy: sqlite3.Connection, truth: Truth, seasons: dict[str, Path]
) -> None:
    """Each planted failure is a failed run whose own log ends in a text of its cause."""
    failed = truth.faults_of("failed_run")
    status = dict(tidy.execute("SELECT path, status FROM ms_index"))
    assert {f.ms_path for f in failed} == {path for path, s in status.items() if s == "failed"}
    assert {f.cause for f in failed} == {*_WORDS, "general", "unknown"}
    for fault in failed:
        assert fault.ms_path
        last = tidy.execute(
            "SELECT status FROM jobs WHERE ms_path = ? ORDER BY id DESC", (fault.ms_path,)
        ).fetchone()
        assert last == ("failed",)
        stamp = re.sub(r"(.{10})T(..):(..):(..)", r"\1-\2\3\4", fault.ms_path.split("/")[-1][:19])
        log = seasons["unified"] / "logs" / f"job-{stamp}.log"
        if fault.cause == "unknown":
            assert not log.exists()
            continue
        text = log.read_text()
        error = text[text.rindex(" ERROR ") :]
        last_line = error.strip().splitlines()[-1]
        first_line = error.splitlines()[0].split("] ", 1)[1]
        assert _cause(f"{first_line}\n{last_line}") == fault.cause
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z ", text)


def test_last_night_is_interesting(tidy: sqlite3.Connection, truth: Truth) -> None:
    """The last night has four failures of different causes, two noisy images, two runs open."""
    (last,) = tidy.execute("SELECT max(substr(group_id, 1, 10)) FROM ms_index").fetchone()
    failed = [f for f in truth.faults_of("failed_run") if f.night == last]
    assert sorted(f.cause or "" for f in failed) == ["conversion", "io", "memory", "timeout"]
    assert sum(f.night == last for f in truth.faults_of("noisy_image")) == 2
    words = Counter(
        row[0]
        for row in tidy.execute("SELECT status FROM ms_index WHERE path LIKE ?", (f"%/{last}%",))
    )
    assert words["processing"] == 1
    assert words["pending"] == 1
    jobs = dict(tidy.execute("SELECT status, count(*) FROM jobs GROUP BY 1"))
    assert (jobs["running"], jobs["pending"]) == (1, 1)
    assert jobs["done"] > 500
    assert jobs["completed"] > 500


def test_jobs_are_consistent(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Steps of a run follow each other in time and id; a retried run ends well."""
    for (path,) in tidy.execute("SELECT path FROM ms_index").fetchall():
        steps = tidy.execute(
            "SELECT created_at, started_at, finished_at FROM jobs WHERE ms_path = ? ORDER BY id",
            (path,),
        ).fetchall()
        times = [t for step in steps for t in step if t is not None]
        assert times == sorted(times)
    for fault in truth.faults_of("retried_run"):
        tries = tidy.execute(
            "SELECT type, status FROM jobs WHERE ms_path = ? ORDER BY id", (fault.ms_path,)
        ).fetchall()
        assert sum(status == "failed" for _, status in tries) == 1
        assert tries[-1][1] in ("done", "completed")


def test_night_structure(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Thirty nights of 3 h, a calibrator MS before each, 4 minutes earlier every night."""
    rows = tidy.execute(
        "SELECT path, start_mjd, mid_mjd FROM ms_index ORDER BY start_mjd"
    ).fetchall()
    nights: dict[int, list[float]] = {}
    for path, start, middle in rows:
        assert mjd_from_name(path) == pytest.approx(start, abs=1e-8)
        assert middle - start == pytest.approx(154.6 / 86400.0, abs=1e-8)
        if "/calibrators/" not in path:
            nights.setdefault(int(start), []).append(start)
    assert len(nights) == 30
    assert sum("/calibrators/" in path for path, *_ in rows) == 31
    firsts = [starts[0] for starts in nights.values()]
    steps = [(b - a) * 86400.0 for a, b in pairwise(firsts)]
    assert statistics.mean(steps) == pytest.approx(86164.1, abs=5.0)
    gaps = [b - a for starts in nights.values() for a, b in pairwise(starts)]
    assert statistics.median(gaps) * 86400.0 == pytest.approx(309.2, abs=0.9)
    assert sum(gap * 1440.0 > 10.0 for gap in gaps) == 3
    assert len(truth.faults_of("hole")) == 4
    assert all(2.7 < (starts[-1] - starts[0]) * 24.0 < 3.1 for starts in nights.values())


def test_coverage_has_every_state(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Windows are 2 h; MS lie inside one, near one by hours, beyond 6 h, and in none."""
    sets = tidy.execute(
        "SELECT DISTINCT valid_start_mjd, valid_end_mjd, status FROM caltables"
    ).fetchall()
    assert {round((end - start) * 24.0, 6) for start, end, _ in sets} == {2.0}
    assert {status for *_, status in sets} == {"active", "retired", "failed"}
    active = [(start, end) for start, end, status in sets if status == "active"]
    retired = [(start, end) for start, end, status in sets if status == "retired"]
    states: Counter[str] = Counter()
    none_nights: set[str] = set()
    held: set[str] = set()
    for path, middle in tidy.execute("SELECT path, mid_mjd FROM ms_index").fetchall():
        hours = min(abs(middle - (start + end) / 2.0) for start, end in active) * 24.0
        inside = any(start <= middle <= end for start, end in active)
        state = "inside" if inside else "near" if hours <= 6 else "far" if hours <= 12 else "none"
        states[state] += 1
        if state == "none":
            none_nights.add(path.split("/")[-1][:10])
            if any(start <= middle <= end for start, end in retired):
                held.add(path.split("/")[-1][:10])
    assert all(states[state] > 10 for state in ("inside", "near", "far", "none"))
    (blind,), (withdrawn,) = truth.faults_of("no_calibration"), truth.faults_of("withdrawn_set")
    assert none_nights == {blind.night, withdrawn.night}
    assert held == {withdrawn.night}
    skipped = tidy.execute(
        "SELECT count(*), sum(path LIKE ?) FROM ms_index WHERE status = 'skipped_no_caltables'",
        (f"%/{blind.night}%",),
    ).fetchone()
    assert skipped[0] == skipped[1] > 30


def test_noise_and_flux_scale_are_the_arrays(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Tile noise is 5 to 99 mJy/beam about 13; bright sources come out at 0.83 to 0.93 of NVSS."""
    rows = tidy.execute("SELECT noise_jy FROM images WHERE type = 'image' AND noise_jy > 0")
    noise = [1000.0 * row[0] for row in rows]
    assert statistics.median(noise) == pytest.approx(13.0, abs=1.5)
    assert min(noise) >= 5.0
    assert 60.0 < max(noise) < 99.1
    ratios = [row[0] for row in tidy.execute(
        "SELECT flux_jy * 1000 / nvss_flux_mjy FROM photometry WHERE nvss_flux_mjy > 200 "
        "AND flux_jy IS NOT NULL")]  # fmt: skip
    assert 0.83 < statistics.median(ratios) < 0.93
    gains = list(truth.image_gains.values())
    assert 0.03 < statistics.stdev(gains) / statistics.mean(gains) < 0.055
    for fault in truth.faults_of("noisy_image"):
        (found,) = tidy.execute(
            "SELECT noise_jy FROM images WHERE path = ?", (fault.image_path,)
        ).fetchone()
        assert found > 4 * truth.array_noise_jy
    (low,) = truth.faults_of("flux_scale")
    hour = [g for path, g in truth.image_gains.items() if f"/{low.night}" in path]
    assert sum(gain < 0.8 for gain in hour) >= 8


def test_errors_are_honest(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Residuals of constant sources, gain taken out, are a unit normal in the quoted errors."""
    mean = {source.source_id: source.mean_flux_jy for source in truth.constants}
    pulls = [
        (flux - mean[name] * truth.image_gains[image]) / error
        for name, image, flux, error in tidy.execute(
            "SELECT source_id, image_path, flux_jy, flux_err_jy FROM photometry "
            "WHERE flux_err_jy IS NOT NULL"
        )
        if name in mean
    ]
    assert statistics.mean(pulls) == pytest.approx(0.0, abs=0.03)
    assert statistics.stdev(pulls) == pytest.approx(1.0, abs=0.05)


def test_variables_stand_out(tidy: sqlite3.Connection, truth: Truth) -> None:
    """At least two sources of each kind vary, and those not marginal beat nearly every constant."""
    kinds = Counter(source.kind for source in truth.variables)
    assert set(kinds) == {"flare", "periodic", "ese", "trend", "transient"}
    assert min(kinds.values()) >= 2
    assert sum(source.marginal for source in truth.variables) == 3
    eta = dict(tidy.execute("SELECT source_id, eta_metric FROM variability_stats"))
    quiet = sorted(eta[source.source_id] for source in truth.constants)
    for source in truth.variables:
        if not source.marginal:
            assert eta[source.source_id] > max(5.0, quiet[int(0.98 * len(quiet))]), source


def test_transients_shine_on_two_nights(tidy: sqlite3.Connection, truth: Truth) -> None:
    """A transient is above 5 errors on two nights that follow each other, and in no catalogue."""
    for source in (s for s in truth.variables if s.kind == "transient"):
        rows = tidy.execute(
            "SELECT mjd, flux_jy / flux_err_jy, nvss_flux_mjy FROM photometry WHERE source_id = ?",
            (source.source_id,),
        ).fetchall()
        nights = {int(mjd) for mjd, snr, _ in rows if snr is not None and snr > 5.0}
        assert len(nights) == 2
        assert max(nights) - min(nights) == 1
        assert {row[2] for row in rows} == {None}


def test_stored_figures_are_the_pipelines_way(tidy: sqlite3.Connection, truth: Truth) -> None:
    """Stored standard deviation divides by N, and eta is N/(N-1) times a difference of means."""
    for source in (*truth.variables[:3], *truth.constants[:3]):
        pairs = [
            (1000 * f, 1000 * e) if f is not None else (1000 * p, 1000 * pe)
            for f, e, p, pe in tidy.execute(
                "SELECT flux_jy, flux_err_jy, peak_jyb, peak_err_jyb FROM photometry "
                "WHERE source_id = ? AND peak_err_jyb IS NOT NULL", (source.source_id,))
        ]  # fmt: skip
        fluxes = [flux for flux, _ in pairs]
        n, mean = len(fluxes), statistics.fmean(fluxes)
        w = [error**-2 for _, error in pairs]
        centre = math.fsum(a * f for a, f in zip(w, fluxes, strict=True)) / math.fsum(w)
        eta = math.fsum(a * (f - centre) ** 2 for a, f in zip(w, fluxes, strict=True)) / (n - 1)
        chi2 = math.fsum(a * (f - mean) ** 2 for a, f in zip(w, fluxes, strict=True)) / (n - 1)
        deviation = max(abs(f - mean) for f in fluxes) / statistics.stdev(fluxes)
        stored = tidy.execute(
            "SELECT n_obs, mean_flux_mjy, std_flux_mjy, eta_metric, chi2_nu, sigma_deviation, "
            "min_flux_mjy, max_flux_mjy FROM variability_stats WHERE source_id = ?",
            (source.source_id,),
        ).fetchone()
        known = (n, mean, statistics.pstdev(fluxes), eta, chi2, deviation, min(fluxes), max(fluxes))
        assert stored == pytest.approx(known, rel=1e-6)


def test_nulls_and_raw_groups_are_where_the_truth_says(
    tidy: sqlite3.Connection, truth: Truth
) -> None:
    """NULLs, incomplete groups and groups without an MS are in the tables as told."""
    assert len(truth.faults_of("null_value")) == 17
    assert tidy.execute("SELECT count(*) FROM images WHERE noise_jy IS NULL").fetchone() == (2,)
    assert tidy.execute(
        "SELECT count(*) FROM ms_index WHERE pointing_ra_deg IS NULL AND ra_deg IS NOT NULL"
    ).fetchone() == (3,)
    groups = dict(tidy.execute("SELECT group_id, count(*) FROM hdf5_files GROUP BY 1"))
    assert sum(count == 11 for count in groups.values()) == len(truth.faults_of("incomplete_group"))
    known = {row[0] for row in tidy.execute("SELECT group_id FROM ms_index")}
    assert len(set(groups) - known) == len(truth.faults_of("raw_without_ms")) == 2


def test_batches_tell_errors(tidy: sqlite3.Connection) -> None:
    """Batch items that failed carry an error text and the id of a failed job; counts add up."""
    rows = tidy.execute(
        "SELECT i.error, j.status FROM batch_job_items i JOIN jobs j ON j.id = i.job_id "
        "WHERE i.status = 'failed'"
    ).fetchall()
    assert len(rows) > 8
    assert all(error and status == "failed" for error, status in rows)
    for batch, total in tidy.execute("SELECT id, total_items FROM batch_jobs").fetchall():
        found = tidy.execute("SELECT count(*) FROM batch_job_items WHERE batch_id = ?", (batch,))
        assert found.fetchone() == (total,)
    assert tidy.execute(
        "SELECT count(*) FROM calibration_applied WHERE success = 0 AND error_message LIKE 'all%'"
    ).fetchone()[0]
