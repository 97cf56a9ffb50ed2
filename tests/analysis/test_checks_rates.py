"""How often planted faults are found, and how often a clean night is blamed: 50 placements each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from contimg_lab.analysis.checks import all_checks, run_checks
from contimg_lab.thresholds import packaged_thresholds

from .check_night import N_SOURCES, N, Tables, clean, night_of

PLACES = 50
Random = np.random.Generator


def noisy(rng: Random) -> Tables:
    """A night without a fault, with the scatter that good nights have."""
    tables = clean()
    images, rows, ms = tables["images"], tables["photometry"], tables["ms"]
    level = 0.0128 * rng.lognormal(0.0, 0.15, N)
    images["noise_jy"] = level.tolist()
    images["dynamic_range"] = (5.0 / level).tolist()
    images["beam_major_arcsec"] = (37.0 * rng.normal(1.0, 0.03, N)).tolist()
    images["beam_minor_arcsec"] = (26.0 * rng.normal(1.0, 0.03, N)).tolist()
    images["beam_pa_deg"] = np.mod(rng.normal(0.0, 3.0, N), 180.0).tolist()
    gain = np.repeat(rng.normal(1.0, 0.015, N), N_SOURCES)
    flux = np.array(rows["reference_flux_jy"]) * gain
    rows["flux_jy"] = (flux + rng.normal(0.0, 0.004, len(flux))).tolist()
    rows["flux_err_jy"] = [0.004] * len(flux)
    ms["lst_residual_deg"] = rng.normal(0.0, 0.01, N).tolist()
    ms["dec_offset_deg"] = rng.normal(0.0, 0.005, N).tolist()
    tables["caltables"]["flagged_fraction"] = rng.normal([0.28, 0.31], 0.02).tolist()
    return tables


def put(table: str, column: str, value: object) -> Callable[[Tables, Random], int | None]:
    """Plant one value in a row of a tile, at random; tells the hour."""

    def plant(tables: Tables, rng: Random) -> int | None:
        row = int(rng.integers(0, len(tables[table][column])))
        tables[table][column][row] = value
        return tables[table]["hour"][row] if "hour" in tables[table] else None

    return plant


def moved(table: str, column: str, by: float) -> Callable[[Tables, Random], int]:
    """Shift one number in a row, at random."""

    def plant(tables: Tables, rng: Random) -> int:
        row = int(rng.integers(0, len(tables[table][column])))
        tables[table][column][row] += by
        return tables[table]["hour"][row]

    return plant


def scattered(tables: Tables, rng: Random) -> int:
    """Multiply each flux of one hour by a factor of its own."""
    rows = tables["photometry"]
    hour = int(rng.integers(6, 8))
    rows["flux_jy"] = [
        flux * rng.lognormal(0.0, 0.6) if held == hour else flux
        for flux, held in zip(rows["flux_jy"], rows["hour"], strict=True)
    ]
    return hour


def lost(n: int) -> Callable[[Tables, Random], int]:
    """Take neighbouring tiles out of the middle of an hour."""

    def plant(tables: Tables, rng: Random) -> int:
        first = 11 * int(rng.integers(0, 2)) + int(rng.integers(1, 10 - n))
        tables["ms"]["kind"][first : first + n] = ["calibrator"] * n
        return tables["ms"]["hour"][first - 1]

    return plant


def scaled(images: int, factor: float) -> Callable[[Tables, Random], int]:
    """Multiply the fluxes of some images of one hour."""

    def plant(tables: Tables, rng: Random) -> int:
        rows = tables["photometry"]
        half = int(rng.integers(0, 2))
        chosen = set((11 * half + rng.choice(11, images, replace=False)).tolist())
        rows["flux_jy"] = [
            flux * factor if image in chosen else flux
            for flux, image in zip(rows["flux_jy"], rows["image"], strict=True)
        ]
        return 6 + half

    return plant


def of_hour(table: str, column: str, value: object) -> Callable[[Tables, Random], int]:
    """Plant a value in nine tenths of an hour's rows, at random."""

    def plant(tables: Tables, rng: Random) -> int:
        hour = int(rng.integers(6, 8))
        for row, held in enumerate(tables[table]["hour"]):
            if held == hour and rng.random() < 0.9:
                tables[table][column][row] = value
        return hour

    return plant


FAULTS: dict[str, Callable[[Tables, Random], int | None]] = {
    "failed": put("runs", "status", "failed"),
    "missing": put("runs", "status", "pending"),
    "raw_without_ms": put("groups", "has_ms", 0),
    "subbands": put("groups", "n_subbands", 11),
    "gaps": lost(2),
    "tiles": lost(6),
    "declination": put("ms", "dec_offset_deg", 0.15),
    "pointing": put("ms", "lst_residual_deg", 0.33),
    "ms_times": moved("ms", "stored_mid_mjd", 0.1),
    "damaged": put("ms", "mid_mjd", None),
    "clock_name": moved("ms", "stored_start_mjd", -7.0 / 24.0),
    "clock_kinds": put("clocks", "value", 0.0),
    "clock_future": put("clocks", "value", 2e9),
    "clock_order": moved("images", "created_at", -8 * 3600.0),
    "calibration": of_hour("covers", "state", "none"),
    "calibration_tier": put("tiers", "tier", "C"),
    "calibration_snr": put("caltables", "snr_mean", 3.0),
    "calibration_flagged": put("caltables", "flagged_fraction", 0.7),
    "noise": put("images", "noise_jy", 0.075),
    "dynamic_range": of_hour("images", "dynamic_range", 40.0),
    "beam": of_hour("images", "beam_minor_arcsec", 15.0),
    "beam_size": of_hour("images", "beam_major_arcsec", 110.0),
    "beam_angle": put("images", "beam_pa_deg", 60.0),
    "flux_ratio": scaled(11, 0.7),
    "image_gain": scaled(1, 1.3),
    "variables": scaled(5, 1.4),
    "flux_scatter": scattered,
    "completeness": of_hour("catalogue", "is_found", 0),
    "measurement_flags": of_hour("photometry", "flags", "edge"),
    "missing_values": of_hour("photometry", "reason", "not finite"),
    "epoch_times": moved("photometry", "mjd", 7.0 / 24.0),
}  # fmt: skip


def blamed(tables: Tables) -> set[tuple[str, int | None]]:
    """Checks that warn or fail, with their hour."""
    outcomes = run_checks(night_of(tables), packaged_thresholds(), all_checks(others=[]))
    return {(one.check, one.hour) for one in outcomes if one.word in ("warn", "fail")}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_wherever_it_is(fault):
    """Of fifty random placements of a fault every one is found, by its check and in its hour."""
    found, others = 0, 0
    for place in range(PLACES):
        rng = np.random.default_rng([place, len(fault)])
        tables = noisy(rng)
        hour = FAULTS[fault](tables, rng)
        told = blamed(tables)
        found += (fault, hour) in told
        # in the other hour nothing is wrong, whatever follows from the fault in its own
        others += any(other not in (hour, None) for _, other in told) and hour is not None
    print(f"{fault:20} found {found} of {PLACES}, the other hour blamed {others} times")
    assert found == PLACES
    assert others <= PLACES // 10


def test_a_clean_night_is_seldom_blamed():
    """Of a hundred nights with the scatter of good ones, checks blame nearly none."""
    counts: dict[str, int] = {}
    nights = 100
    blamed_nights = 0
    for place in range(nights):
        told = {check for check, _ in blamed(noisy(np.random.default_rng([7, place])))}
        blamed_nights += bool(told)
        for check in told:
            counts[check] = counts.get(check, 0) + 1
    print(f"{blamed_nights} of {nights} clean nights blamed: {counts}")
    assert blamed_nights <= 0.05 * nights


def test_each_check_has_a_fault_or_is_tested_by_itself():
    """A new check gets a planted fault here, unless what it looks at is the whole night's."""
    by_themselves = {
        "stuck", "empty_hours", "calibration_gains", "calibration_age", "calibration_antennas",
        "duplicate_epochs", "astrometry",
    }  # fmt: skip
    assert {one.name for one in all_checks(others=[])} == set(FAULTS) | by_themselves
