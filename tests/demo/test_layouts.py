"""Every layout has the files, tables, columns and indexes of the pipeline's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

_BATCH = {
    "batch_jobs": "id type created_at status total_items completed_items failed_items params",
    "batch_job_items": "id batch_id ms_path job_id status error started_at completed_at data_id",
    "calibration_qa": (
        "id ms_path job_id k_metrics bp_metrics g_metrics overall_quality flags_total timestamp "
        "per_spw_stats"
    ),
    "image_qa": (
        "id ms_path job_id image_path rms_noise peak_flux dynamic_range beam_major beam_minor "
        "beam_pa num_sources thumbnail_path overall_quality timestamp"
    ),
}
_CALTABLES = (
    "id set_name path table_type order_index cal_field refant created_at valid_start_mjd "
    "valid_end_mjd status notes source_ms_path solver_command solver_version solver_params "
    "quality_metrics"
)
_OLD_MS = (
    "path start_mjd end_mjd mid_mjd processed_at status stage stage_updated_at cal_applied "
    "imagename"
)
_OLD_PHOTOMETRY = (
    "id source_id image_path ra_deg dec_deg nvss_flux_mjy peak_jyb peak_err_jyb measured_at"
)
_SPLIT_IMAGES = "id path ms_path created_at type beam_major_arcsec noise_jy pbcor"
_UNIFIED = {
    **_BATCH,
    "caltables": _CALTABLES,
    "ms_index": (
        f"{_OLD_MS} field_name pointing_ra_deg pointing_dec_deg ra_deg dec_deg group_id created_at"
    ),
    "images": (
        f"{_SPLIT_IMAGES} format beam_minor_arcsec beam_pa_deg dynamic_range field_name "
        "center_ra_deg center_dec_deg imsize_x imsize_y cellsize_arcsec freq_ghz bandwidth_mhz "
        "integration_sec"
    ),
    "photometry": (
        f"{_OLD_PHOTOMETRY} snr mjd flux_jy flux_err_jy normalized_flux_jy "
        "normalized_flux_err_jy mosaic_path sep_from_center_deg local_rms rms_jy peak_flux_jy "
        "quality_flag flags"
    ),
    "jobs": ("id type status ms_path params logs artifacts created_at started_at finished_at"),
    "calibration_applied": "id ms_path caltable_path applied_at quality success error_message",
    "pointing_history": "id timestamp_mjd ra_deg dec_deg source recorded_at",
    "variability_stats": (
        "source_id ra_deg dec_deg nvss_flux_mjy n_obs mean_flux_mjy std_flux_mjy min_flux_mjy "
        "max_flux_mjy chi2_nu sigma_deviation last_measured_at last_mjd updated_at eta_metric"
    ),
    "calibration_monitoring": (
        "id calibrator_name ms_path observed_flux_jy catalog_flux_jy flux_ratio frequency_ghz "
        "mjd timestamp_iso phase_rms_deg amp_rms flagged_fraction created_at notes"
    ),
    "ese_candidates": (
        "id source_id flagged_at flagged_by significance flag_type notes status "
        "investigated_at dismissed_at"
    ),
}
_SECOND = {
    "pointing_history": "timestamp ra_deg dec_deg",
    "variability_stats": (
        "source_id ra_deg dec_deg nvss_flux_mjy mean_flux_mjy std_flux_mjy chi2_nu eta v "
        "sigma_deviation n_epochs last_measured_at last_mjd updated_at"
    ),
}
_SPLIT = {
    **_BATCH,
    "ms_index": f"{_OLD_MS} ra_deg dec_deg pointing_ra_deg pointing_dec_deg",
    "images": _SPLIT_IMAGES,
    "photometry": (
        f"{_OLD_PHOTOMETRY} flux_jy flux_err_jy normalized_flux_jy normalized_flux_err_jy mjd "
        "mosaic_path"
    ),
}
EXPECTED = {
    ("unified", "pipeline.sqlite3"): _UNIFIED,
    ("untidy", "pipeline.sqlite3"): {**_UNIFIED, **_SECOND},
    ("split", "products.sqlite3"): _SPLIT,
    ("split", "cal_registry.sqlite3"): {"caltables": _CALTABLES},
    ("split-old", "products.sqlite3"): {
        **_SPLIT, "ms_index": _OLD_MS, "photometry": _OLD_PHOTOMETRY,
    },
    ("split-old", "cal_registry.sqlite3"): {"caltables": _CALTABLES},
}  # fmt: skip
_ALL_UNIFIED = """
    alert_history astrometric_residuals astrometric_solutions bandpass_calibrators
    batch_job_items batch_jobs calibration_applied calibration_monitoring calibration_qa
    calibrator_catalog calibrator_transits caltables catalog_sources ese_candidates
    gain_calibrators hdf5_files image_qa images jobs monitoring_sources mosaic_groups mosaics
    ms_index operation_metrics photometry pointing_history qa_artifacts regions
    skymodel_metadata sources storage_locations transient_alerts transient_candidates
    transient_lightcurves variability_stats vla_calibrators vla_flux_info
"""


def _tables(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as found:
        names = found.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: {row[1] for row in found.execute(f"PRAGMA table_info({name})")}
            for (name,) in names
        }


@pytest.mark.parametrize(("kind", "file"), list(EXPECTED))
def test_tables_and_columns(seasons: dict[str, Path], kind: str, file: str) -> None:
    """Each file has exactly the columns that this layout has in the field."""
    found = _tables(seasons[kind] / file)
    for table, columns in EXPECTED[kind, file].items():
        assert found[table] == set(columns.split()), table


def test_unified_has_every_table_and_split_no_more_than_its_own(seasons: dict[str, Path]) -> None:
    """A unified file holds all 37 tables; a split one has no jobs and no variability figures."""
    assert sorted(_tables(seasons["unified"] / "pipeline.sqlite3")) == _ALL_UNIFIED.split()
    assert sorted(_tables(seasons["untidy"] / "pipeline.sqlite3")) == _ALL_UNIFIED.split()
    for kind in ("split", "split-old"):
        assert set(_tables(seasons[kind] / "products.sqlite3")) == set(_SPLIT)
        assert set(_tables(seasons[kind] / "cal_registry.sqlite3")) == {"caltables"}


@pytest.mark.parametrize(("kind", "file"), list(EXPECTED))
def test_files_are_wal_and_whole(seasons: dict[str, Path], kind: str, file: str) -> None:
    """A file is in WAL mode, passes SQLite's own check and has nothing left beside it."""
    folder = seasons[kind]
    header = (folder / file).read_bytes()[:20]
    assert header[18:20] == b"\x02\x02"
    assert not list(folder.glob("*-wal")) + list(folder.glob("*-shm"))
    with closing(sqlite3.connect(f"file:{folder / file}?mode=ro&immutable=1", uri=True)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_indexes_follow_the_layout(seasons: dict[str, Path]) -> None:
    """Unified photometry is indexed by image, source, place and epoch; split by source alone."""

    def indexed(path: Path) -> set[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as found:
            names = [row[1] for row in found.execute("PRAGMA index_list(photometry)")]
            return {
                tuple(row[2] for row in found.execute(f"PRAGMA index_info({name})"))
                for name in names
            }

    assert indexed(seasons["unified"] / "pipeline.sqlite3") == {
        ("image_path",), ("source_id",), ("ra_deg", "dec_deg"), ("mjd",),
    }  # fmt: skip
    assert indexed(seasons["split"] / "products.sqlite3") == {("source_id",)}


def test_split_layouts_hold_rows(seasons: dict[str, Path]) -> None:
    """A split season has MS, images, photometry and cal tables of types K, BP and G."""
    for kind in ("split", "split-old"):
        with closing(sqlite3.connect(seasons[kind] / "products.sqlite3")) as found:
            for table in ("ms_index", "images", "photometry", "batch_job_items"):
                assert found.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 30, table
        with closing(sqlite3.connect(seasons[kind] / "cal_registry.sqlite3")) as found:
            types = {row[0] for row in found.execute("SELECT table_type FROM caltables")}
            assert types == {"K", "BP", "G"}
        assert list((seasons[kind] / "logs").glob("job-*.log"))
