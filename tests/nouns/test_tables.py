"""Tables and records: order, pages, units, datetimes, filters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contimg_lab import errors
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.repositories.ms import MsRepository
from contimg_lab.times import mjd_from_datetime


@pytest.fixture
def repositories(lab):
    context = lab._context
    return [context.ms, context.images, context.measurements]


async def test_each_repository_gets_one_many_a_page_and_a_count(repositories):
    """get, get_many, list and count of one table agree with each other, in a stable order."""
    for repository in repositories:
        total = await repository.count()
        every = await repository.list(limit=None)
        assert len(every) == total > 0
        pages = [r for k in range(0, 60, 20) for r in await repository.list(limit=20, offset=k)]
        assert tuple(pages) == every[:60]
        keys = [getattr(r, repository.key) for r in every[:50]]
        many = await repository.get_many([*reversed(keys), "no such key", None])
        assert list(many) == keys[::-1]
        assert await repository.get(keys[3]) == many[keys[3]] == every[3]
        with pytest.raises(errors.NotFound):
            await repository.get("no such key")


async def test_filters_are_checked(lab):
    """A filter takes one value, many or None, and refuses a field that the noun has not."""
    ms: MsRepository = lab._context.ms
    every = await ms.list(limit=None)
    words = sorted({row.status for row in every if row.status})
    counts = [await ms.count(status=word) for word in [*words, None]]
    assert sum(counts) == len(every)
    assert await ms.count(status=words) == sum(counts[:-1])
    with pytest.raises(errors.InvalidInput, match="has no field"):
        await ms.count(colour="red")


async def test_sources_are_listed_like_any_noun(lab):
    """Sources page in order of name, and one by key equals the listed one."""
    every = await lab.sources.list_sources(limit=None)
    assert len(every) == await lab._context.sources.count()
    assert [s.source_id for s in every] == sorted(s.source_id for s in every)
    assert await lab.sources.list_sources(limit=5, offset=3) == every[3:8]
    assert await lab.sources.get_source(every[2].source_id) == every[2]
    table = await lab.sources.table(limit=5, offset=3)
    assert table["source_id"].tolist() == [s.source_id for s in every[3:8]]


async def test_every_table_has_units_and_aware_datetimes(lab):
    """Numbers have units where one applies, datetimes are UTC, missing values are NA."""
    tables = {
        "jobs": await lab.jobs.table(),
        "ms": await lab.ms.table(),
        "caltables": await lab.caltables.table(),
        "coverage": await lab.caltables.coverage(),
        "images": await lab.images.table(),
        "sources": await lab.sources.table(),
    }
    endings = ("_deg", "_jy", "_mjd", "_mjy", "_s", "_hours", "_arcsec", "_at", "_datetime")
    for name, table in tables.items():
        assert len(table) > 0, name
        for column in table.columns:
            if column.endswith(endings) and not column.startswith("excluded"):
                assert column in table.attrs["units"], (name, column)
            if isinstance(table[column].dtype, pd.DatetimeTZDtype):
                assert str(table[column].dt.tz) == "UTC"
            assert not str(table[column].dtype).startswith("datetime64[ns]"), (name, column)
    assert {"run_id", "ms_path", "night", "status", "cause", "step", "started_at", "finished_at",
            "duration_s"} <= set(tables["jobs"].columns)  # fmt: skip


async def test_datetimes_stand_beside_the_mjd_that_they_are(lab):
    """mid_at is mid_mjd to the microsecond, and the night and hour are its start's."""
    ms = await lab.ms.table()
    known = ms[ms["mid_mjd"].notna()]
    for row in known.iloc[::40].itertuples():
        assert mjd_from_datetime(row.mid_at.to_pydatetime()) == pytest.approx(row.mid_mjd, abs=1e-9)
        assert row.start_at.strftime("%Y-%m-%d") == row.night
        assert row.start_at.hour == row.hour


async def test_filters_of_the_jobs_table_are_those_of_the_rows(lab):
    """status, cause, night, text, limit and offset choose exactly the rows that say so."""
    every = await lab.jobs.table()
    night = every["night"].mode()[0]
    failed = await lab.jobs.table(status="failed", night=night)
    wanted = every[(every["status"] == "failed") & (every["night"] == night)]
    assert failed["run_id"].tolist() == wanted["run_id"].tolist()
    cause = every["cause"].dropna().iloc[0]
    some = await lab.jobs.table(cause=cause)
    assert some["run_id"].tolist() == every[every["cause"] == cause]["run_id"].tolist()
    page = await lab.jobs.table(limit=7, offset=5)
    assert page["run_id"].tolist() == every["run_id"].tolist()[5:12]
    run = every["run_id"].iloc[9]
    assert (await lab.jobs.table(text=run.upper()))["run_id"].tolist() == [run]
    assert every["ms_path"].is_unique
    assert every["run_id"].is_unique


async def test_a_log_tail_is_the_end_of_the_log_and_says_which(lab):
    """Every failed run's tail says where it is from, and n lines are the last of more lines."""
    failed = await lab.jobs.list_jobs(status="failed", limit=None)
    sources = set()
    for run in failed:
        tail = await lab.jobs.read_log_tail(run.run_id, 500)
        sources.add(tail.source)
        assert tail.why
        if tail.source == "none":
            continue
        assert tail.lines
        few = await lab.jobs.read_log_tail(run.run_id, 2)
        assert few.lines == tail.lines[-2:]
        assert few.truncated == (len(tail.lines) > 2)
        link = await lab.jobs.build_provenance_links(run.run_id)
        assert (link.log_file is not None) == (await lab.jobs.find_log_file(run.run_id) is not None)
        assert link.ms_path == run.ms_path
    assert sources


async def test_the_primary_cal_table_is_the_bandpass_of_the_coverage(lab):
    """get_primary_cal_table says what coverage says of the bandpass, with what was applied."""
    coverage = await lab.caltables.coverage()
    for path in coverage["ms_path"].unique()[::40]:
        mine = coverage[coverage["ms_path"] == path].set_index("table_type")
        primary = await lab.ms.get_primary_cal_table(path)
        row = mine.loc[primary.table_type]
        assert primary.state == row["state"]
        assert primary.caltable_path == (
            None if pd.isna(row["caltable_path"]) else row["caltable_path"]
        )
        assert primary.table_type in ("BP", "BA", "G")


async def test_a_light_curve_is_frozen_and_in_order(lab):
    """Arrays cannot be written to, times rise, and both exports hold the same numbers."""
    source = (await lab.sources.list_sources(limit=20))[7]
    curve = await lab.sources.light_curve(source.source_id)
    assert (np.diff(curve.mjd) >= 0).all()
    with pytest.raises(ValueError, match="read-only"):
        curve.flux_jy[0] = 1.0
    with pytest.raises(AttributeError):
        curve.mjd = curve.mjd
    frame = curve.to_pandas()
    assert frame["flux_jy"].tolist() == curve.flux_jy.tolist()
    assert str(frame["time"].dt.tz) == "UTC"
    whole = curve.to_pandas(excluded=True)
    assert len(whole) == len(curve) + len(curve.excluded)
    series = curve.to_astropy()
    assert series.time.scale == "utc"
    assert series.time.mjd == pytest.approx(curve.mjd, abs=1e-9)
    columns = set(curve.flux_column)
    unit = {"peak_jyb": "Jy/beam", "flux_jy": "Jy"}[columns.pop()] if len(columns) == 1 else None
    assert curve.flux_unit == (unit or "Jy or Jy/beam (see flux_column)")
    assert frame.attrs["units"]["flux_jy"] == curve.flux_unit
    assert str(series["flux"].unit) == ("Jy / beam" if unit == "Jy/beam" else "Jy")
    assert source.source_id in repr(curve)


async def test_many_light_curves_equal_the_single_ones(lab):
    """light_curves gives in one query what light_curve gives one by one."""
    names = [s.source_id for s in await lab.sources.list_sources(limit=10)]
    many = await lab.sources.light_curves([*names, "no such source"])
    assert list(many) == names
    for name in names[::3]:
        one = await lab.sources.light_curve(name)
        assert np.array_equal(one.mjd, many[name].mjd)
        assert np.array_equal(one.row_id, many[name].row_id)
        row = await lab.sources.calculate_variability(name)
        assert row["n_used"] == len(one)
        assert row["eta"] == pytest.approx(row["chi_squared"] / (row["n_used"] - 1), nan_ok=True)


async def test_a_night_adds_up(lab):
    """A night's hours, kinds and states add up to its Measurement Sets."""
    for night in (await lab.nights())[::6]:
        summary = await lab.qa.night(night)
        assert sum(summary.status_counts.values()) == summary.n_ms
        assert summary.n_tiles + summary.n_calibrators + summary.n_twins == summary.n_ms
        assert sum(summary.cause_counts.values()) == len(summary.failed)
        assert sum(hour.n_tiles for hour in summary.hours) == summary.n_tiles
        for states in summary.coverage.values():
            assert sum(states.values()) == summary.n_ms
        assert all(gap.minutes > 10 for gap in summary.gaps)
        assert sum(hour.n_gaps for hour in summary.hours) == len(summary.gaps)
        assert night in repr(summary)
        assert len(summary.to_pandas()) == len(summary.hours)
        assert "<li>" in summary._repr_html_()


def test_a_record_never_makes_a_number_of_what_is_none():
    """Text in a REAL column becomes None and is named; infinities stay."""
    from contimg_lab.records._fields import read

    row = read(
        MeasurementSet,
        {"path": "p", "start_mjd": "--", "mid_mjd": float("inf"), "cal_applied": 1.5},
    )
    assert (row.start_mjd, row.mid_mjd, row.cal_applied) == (None, float("inf"), None)
    assert row.damaged == ("start_mjd", "cal_applied")
