"""A night without a fault, for tests that plant one."""

from __future__ import annotations

from typing import Any

import numpy as np

from contimg_lab.analysis.checks import Night, all_checks, make_night
from contimg_lab.analysis.drift import meridian_icrs
from contimg_lab.records.qa import Outcome
from contimg_lab.thresholds import packaged_thresholds
from contimg_lab.times import unix_from_mjd

DATE = "2025-10-09"
FIRST_MJD = 60957.25  # 06:00 of that date
SPACING_DAYS = 309.0 / 86400.0
N, N_HOURS = 22, 2
N_SOURCES = 10  # of each image

Tables = dict[str, dict[str, list[Any]]]


def clean() -> Tables:
    """Columns of two whole hours in which every check passes."""
    start = [FIRST_MJD + k * SPACING_DAYS + (k // 11) * 0.0024 for k in range(N)]
    hour = [int((mjd % 1.0) * 24.0) for mjd in start]
    middle = [mjd + SPACING_DAYS / 2.0 for mjd in start]
    ra, dec = meridian_icrs(np.array(middle), np.full(N, 16.3))
    path = [f"/ms/{k:02d}.ms" for k in range(N)]
    unix = [unix_from_mjd(mjd) for mjd in start]
    rows = [(k, s) for k in range(N) for s in range(N_SOURCES)]
    nvss = [60.0 + 20.0 * s for _, s in rows]
    tilt = [0.9 * (1.0 + 0.01 * ((k + s) % 3 - 1)) for k, s in rows]
    tables: Tables = {
        "ms": {
            "path": path, "hour": hour, "kind": ["tile"] * N, "start_mjd": start,
            "mid_mjd": middle, "stored_start_mjd": start, "stored_mid_mjd": middle,
            "stored_end_mjd": [mjd + SPACING_DAYS for mjd in start], "name_mjd": start,
            "ra_deg": ra.tolist(), "dec_deg": dec.tolist(), "lst_residual_deg": [0.01] * N,
            "dec_offset_deg": [0.005] * N,
        },
        "runs": {
            "path": path, "hour": hour, "status": ["completed"] * N, "cause": [None] * N,
            "started_at": [t + 600.0 for t in unix], "finished_at": [t + 1800.0 for t in unix],
            "attempts": [3] * N,
        },
        "groups": {
            "group_id": [f"g{k}" for k in range(N)], "hour": hour, "n_subbands": [16] * N,
            "has_ms": [1] * N,
        },
        "covers": {
            "path": path * 2, "hour": hour * 2, "table_type": ["BP"] * N + ["GP"] * N,
            "state": ["inside"] * 2 * N, "distance_hours": [0.5] * 2 * N,
            "is_bandpass": [1] * N + [0] * N, "table_path": ["/cal/bp"] * N + ["/cal/gp"] * N,
        },
        "tiers": {"path": path, "hour": hour, "tier": ["A"] * N, "why": ["same date"] * N},
        "caltables": {
            "path": ["/cal/bp", "/cal/gp"], "set_name": ["one"] * 2, "table_type": ["BP", "GP"],
            "status": ["active"] * 2, "snr_mean": [98.0, 15.0], "flagged_fraction": [0.28, 0.29],
            "n_antennas": [96.0, 96.0],
        },
        "images": {
            "id": [str(k) for k in range(N)], "ms_path": path, "hour": hour,
            "type": ["image"] * N, "is_tile": [1] * N, "created_at": [t + 1700.0 for t in unix],
            "noise_jy": [0.013] * N, "dynamic_range": [400.0] * N,
            "beam_major_arcsec": [37.0] * N, "beam_minor_arcsec": [26.0] * N,
            "beam_pa_deg": [178.0 if k % 2 else 2.0 for k in range(N)],
        },
        "references": {
            "hour": [6, 7], "noise_median_jy": [0.0128] * 2, "noise_mad_jy": [0.001] * 2,
            "n": [40, 40], "of": ["40 tiles of earlier nights"] * 2,
        },
        "photometry": {
            "id": [str(i) for i in range(len(rows))], "source_id": [f"s{k}-{s}" for k, s in rows],
            "image": [k for k, _ in rows], "hour": [hour[k] for k, _ in rows],
            "mjd": [middle[k] for k, _ in rows], "time_source": ["mjd"] * len(rows),
            "flux_jy": [f * g / 1e3 for f, g in zip(nvss, tilt, strict=True)],
            "flux_err_jy": [0.002] * len(rows), "reason": [""] * len(rows), "nvss_flux_mjy": nvss,
            "quality_flag": [None] * len(rows), "flags": ["0"] * len(rows),
            "reference_flux_jy": [0.9 * f / 1e3 for f in nvss],
            "reference_err_jy": [0.0005] * len(rows), "reference_n": [30.0] * len(rows),
            "reference_eta": [1.1] * len(rows),
        },
        "catalogue": {
            "name": [f"c{k}" for k in range(20)], "hour": [6, 7] * 10, "flux_mjy": [80.0] * 20,
            "is_found": [1] * 20,
        },
        "astrometry": {
            "id": ["1", "2"], "hour": [6, 7], "n_matches": [40, 30], "ra_offset_mas": [300, -200],
            "dec_offset_mas": [100, 50], "rms_residual_mas": [900, 800],
        },
        "clocks": {
            "table": ["ms_index", "jobs"] * N, "key": [p for p in path for _ in range(2)],
            "hour": [h for h in hour for _ in range(2)], "column": ["start_mjd", "created_at"] * N,
            "value": [v for pair in zip(start, unix, strict=True) for v in pair],
        },
    }  # fmt: skip
    return {table: {name: list(v) for name, v in held.items()} for table, held in tables.items()}


def night_of(tables: Tables, **options: Any) -> Night:
    """The value of a night, read a day after it."""
    options.setdefault("as_of_unix_s", unix_from_mjd(FIRST_MJD + 1.0))
    return make_night(DATE, **options, **tables)


def outcomes_of(check: str, tables: Tables, **options: Any) -> tuple[Outcome, ...]:
    """What one check says of a night."""
    (one,) = [c for c in all_checks(others=[]) if c.name == check]
    return one.run(night_of(tables, **options), packaged_thresholds())


def words_of(check: str, tables: Tables, **options: Any) -> list[str]:
    """The words of one check, in the order of its outcomes."""
    return [one.word for one in outcomes_of(check, tables, **options)]
