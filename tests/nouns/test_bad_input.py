"""Whatever is asked for: a typed error that names the way out, or a correct answer."""

from __future__ import annotations

import math
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab import errors

HOSTILE = [
    "../../etc/passwd", "job-../x", "..", ".", "", "a" * 5000, "job-2025' OR '1'='1", "x\0y",
    "job-%", "job-_", "<script>", "nonsense\n", "\ud800", "é☆",
]  # fmt: skip


@pytest.mark.parametrize("run_id", [*HOSTILE, None, 5, b"x", ["job"]])
async def test_a_hostile_run_id_is_refused(demo, run_id):
    """What is no run id is an error of our tree, or has no log, in every call that takes one."""
    for call in (
        demo.jobs.get_job,
        demo.jobs.get_job_status,
        demo.jobs.build_provenance_links,
        demo.jobs.find_log_file,
        demo.jobs.read_log_tail,
    ):
        try:
            assert await call(run_id) is None
        except (errors.InvalidInput, errors.NotFound):
            continue
        assert call == demo.jobs.find_log_file


@pytest.mark.parametrize("key", [*HOSTILE, None, 5, 1.5, math.nan, b"x", 10**30])
async def test_an_unknown_key_is_not_found(demo, key):
    """No noun invents a record for a key that it does not have."""
    for call in (
        demo.ms.get_ms,
        demo.ms.get_ms_metadata,
        demo.ms.get_pointing,
        demo.ms.get_primary_cal_table,
        demo.ms.build_provenance_links,
        demo.caltables.get_caltable,
        demo.sources.get_source,
        demo.sources.light_curve,
        demo.sources.calculate_variability,
    ):
        with pytest.raises((errors.NotFound, errors.InvalidInput)):
            await call(key)
    if not (isinstance(key, int) and key < 1000):
        with pytest.raises((errors.NotFound, errors.InvalidInput)):
            await demo.images.get_image(key)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(st.text(max_size=30))
async def test_any_text_is_a_key_or_not_found(season_folder, text):
    """No text whatever as a source or MS raises anything but NotFound."""
    async with cl.open(season_folder()) as lab:
        with pytest.raises(errors.NotFound):
            await lab.sources.light_curve(text)
        with pytest.raises(errors.NotFound):
            await lab.ms.get_pointing(text)


@pytest.mark.parametrize("limit", [-1, 1.5, "10", True, 10**9, math.nan])
async def test_a_limit_that_means_nothing_is_refused(demo, limit):
    """Negative, fractional and absurd limits and offsets are InvalidInput."""
    for call in (demo.jobs.list_jobs, demo.ms.list_ms, demo.images.list_images,
                 demo.sources.list_sources, demo.caltables.list_caltables):  # fmt: skip
        with pytest.raises(errors.InvalidInput, match="limit"):
            await call(limit=limit)
        if limit != 10**9:
            with pytest.raises(errors.InvalidInput, match="offset"):
                await call(offset=limit)


async def test_a_million_rows_may_be_asked_for(demo):
    """A limit of 10^6 gives every row there is."""
    assert len(await demo.ms.list_ms(limit=1_000_000)) == len(await demo.ms.table())
    assert len(await demo.images.list_images(limit=1_000_000)) == len(await demo.images.table())


@pytest.mark.parametrize("night", ["2025-13-01", "yesterday", 20251009, "2025-10-09 ", ""])
async def test_a_night_that_is_no_date_is_refused(demo, night):
    """Every call that takes a night refuses what is no date."""
    for call in (demo.qa.night, demo.caltables.coverage):
        with pytest.raises(errors.InvalidInput, match="YYYY-MM-DD"):
            await call(night)
    for call in (demo.jobs.table, demo.ms.table, demo.images.table, demo.caltables.table):
        with pytest.raises(errors.InvalidInput, match="YYYY-MM-DD"):
            await call(night=night)


async def test_a_night_without_data_is_empty_or_not_found(demo):
    """Tables of an empty night are empty with their columns; its summary is NotFound."""
    full = await demo.jobs.table()
    empty = await demo.jobs.table(night="1999-01-01")
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    assert (empty.dtypes == full.dtypes).all()
    assert list((await demo.ms.table(night="1999-01-01")).columns)
    assert len(await demo.caltables.coverage("1999-01-01")) == 0
    with pytest.raises(errors.NotFound, match="nights run from"):
        await demo.qa.night("1999-01-01")


async def test_right_ascension_zero_is_a_place(tmp_path):
    """RA exactly 0 and declination exactly 0 are kept, in pointings and light curves."""
    path = tmp_path / "pipeline.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE ms_index (path TEXT PRIMARY KEY, start_mjd REAL, mid_mjd REAL, status TEXT,
            ra_deg REAL, dec_deg REAL, pointing_ra_deg REAL, pointing_dec_deg REAL);
        INSERT INTO ms_index VALUES ('/ms/a.ms', 60957.0, 60957.1, 'done', 5.0, 5.0, 0.0, 0.0);
        INSERT INTO ms_index VALUES ('/ms/b.ms', 60957.0, 60957.1, 'done', 0.0, 0.0, 7.0, NULL);
        INSERT INTO ms_index VALUES ('/ms/c.ms', NULL, NULL, NULL, '--', 0.0, NULL, NULL);
        CREATE TABLE photometry (id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT,
            ra_deg REAL, dec_deg REAL, peak_jyb REAL, peak_err_jyb REAL, measured_at REAL);
        INSERT INTO photometry VALUES (1, 's', '/i/1', 0.0, 0.0, 0.0, 0.1, 1.76e9);
        INSERT INTO photometry VALUES (2, 's', '/i/2', 0.0, 0.0, -0.1, 0.1, 1.7601e9);
        INSERT INTO photometry VALUES (3, 's', '/i/3', 0.0, 0.0, 1e999, 0.1, 1.76e9);
        """
    )
    db.commit()
    db.close()
    async with cl.open(path) as lab:
        a, b, c = [await lab.ms.get_pointing(f"/ms/{x}.ms") for x in "abc"]
        assert (a.ra_deg, a.dec_deg, a.source) == (0.0, 0.0, "pointing columns")
        assert (b.ra_deg, b.dec_deg, b.source) == (0.0, 0.0, "field centre columns")
        assert (c.ra_deg, c.source) == (None, "unknown")
        assert (await lab.ms.get_ms("/ms/c.ms")).damaged == ("ra_deg",)
        curve = await lab.sources.light_curve("s")
        assert (curve.ra_deg, curve.flux_jy.tolist()) == (0.0, [0.0, -0.1])
        assert curve.is_detection.tolist() == [False, False]
        assert curve.excluded.counts() == {"not finite": 1}
        row = await lab.sources.calculate_variability("s")
        assert row["n_used"] == 2
        assert math.isnan(row["v"])  # the mean is negative: undefined, not 0
        with pytest.raises(errors.AbsentFeature):
            await lab.images.list_images()


async def test_columns_that_a_file_lacks_are_known_absences(season_folder):
    """An older file's missing columns are NA and named, neither an error nor a zero."""
    async with cl.open(season_folder("split-old")) as lab:
        ms = await lab.ms.table()
        assert ms["ra_deg"].isna().all()
        assert "ra_deg" in (await lab.absent())["ms_index"]
        images = await lab.images.table()
        assert images["beam_minor_arcsec"].isna().all()
        assert "beam_minor_arcsec" in images.attrs["absent"]
        jobs = await lab.jobs.table()
        assert jobs["started_at"].isna().all()
        assert "started_at" in jobs.attrs["absent"]


async def test_a_closed_lab_says_so(season_folder):
    """After close() every call raises Closed; closing again is fine."""
    lab = await cl.open(season_folder())
    await lab.close()
    await lab.close()
    with pytest.raises(errors.Closed, match="open it again"):
        await lab.jobs.table()


def test_every_error_is_one_tree():
    """Everything that we raise on purpose can be caught as ContimgLabError."""
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.ContimgLabError)
        assert name in errors.__doc__
