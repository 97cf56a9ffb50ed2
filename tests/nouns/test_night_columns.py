"""A night read once: columns for the checks, and the same rows as evidence."""

from __future__ import annotations

import asyncio
import math
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.analysis.epochs import REASONS, TIME_SOURCES
from contimg_lab.errors import NotFound
from contimg_lab.ledger.changes import diff
from contimg_lab.services._epochs import read_epochs
from contimg_lab.services.night_columns import NightRead, read_night

NOW = 1.8e9
TABLES = {
    "ms_index": "path",
    "images": "id",
    "photometry": "id",
    "jobs": "id",
    "caltables": "path",
    "hdf5_files": "path",
    "calibration_applied": "id",
    "batch_job_items": "id",
}


async def reading(folder: Path | str, night: str | None = None) -> NightRead:
    async with cl.open(folder) as lab:
        return await read_night(lab._context, night or await lab.last_night(), NOW)


def rows_of(read: NightRead, name: str) -> dict:
    table = read.evidence.tables[name]
    return {key: table.row(key) for key in table.kept}


async def test_columns_are_those_that_every_other_method_tells(lab):
    """Of every kind of database: the night's MS, runs, images, coverage and gaps in its columns."""
    night = await lab.last_night()
    read = await read_night(lab._context, night, NOW)
    ms = await lab.ms.table(night=night)
    assert sorted(read.night.ms["path"]) == sorted(ms["path"])
    told = dict(zip(read.night.ms["path"], read.night.ms["mid_mjd"], strict=True))
    assert told == pytest.approx(dict(zip(ms["path"], ms["mid_mjd"], strict=True)), nan_ok=True)
    runs = await lab.jobs.list_jobs(night=night, limit=None)
    assert dict(zip(read.night.runs["path"], read.night.runs["status"], strict=True)) == {
        run.ms_path: run.status for run in runs
    }
    images = await lab.images.list_images(night=night, limit=None)
    assert sorted(map(int, read.night.images["id"])) == sorted(image.id for image in images)
    judged = await lab.qa.hours(night)
    assert list(read.night.hours) == judged["hour"].tolist()
    noise = read.night.images.where(read.night.images["is_tile"] == 1.0)
    for hour, median in zip(judged["hour"], judged["noise_median_jy"], strict=True):
        mine = noise["noise_jy"][noise["hour"] == hour]
        mine = mine[(mine > 0.0) & np.isfinite(mine)]
        if len(mine):
            assert np.median(mine) == pytest.approx(median)


async def test_fluxes_are_those_of_the_light_curves(lab):
    """Each measurement of the night has the flux, error, time and reason of its light curve."""
    read = await read_night(lab._context, await lab.last_night(), NOW)
    rows = read.night.photometry
    assert rows.n_rows
    epochs = await read_epochs(lab._context, None)
    place = {str(row): i for i, row in enumerate(epochs.row_id.tolist())}
    at = np.array([place[key] for key in rows["id"]])
    for name in ("flux_jy", "flux_err_jy", "mjd"):
        np.testing.assert_array_equal(rows[name], getattr(epochs, name)[at])
    told = [REASONS[code] if code else "" for code in epochs.reason[at]]
    assert rows["reason"].tolist() == told
    by = [TIME_SOURCES[code] for code in epochs.time_source[at]]
    assert rows["time_source"].tolist() == by


async def test_every_row_of_the_night_is_evidence(demo):
    """Rows of evidence are those of the tables, field by field as stored."""
    night = await demo.last_night()
    read = await read_night(demo._context, night, NOW)
    path = demo.layout.files["pipeline"]
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    for name, sql in (
        ("ms_index", "path LIKE ?"),
        ("images", "ms_path LIKE ?"),
        ("jobs", "ms_path LIKE ?"),
        ("photometry", "image_path IN (SELECT path FROM images WHERE ms_path LIKE ?)"),
    ):
        found = rows_of(read, name)
        stored = db.execute(f"SELECT * FROM {name} WHERE {sql}", (f"%{night}T%",)).fetchall()
        assert {row[TABLES[name]] for row in stored} == set(found)
        for row in stored:
            values = found[row[TABLES[name]]].values
            assert {f: v for f, v in values.items() if f in row.keys()} == {  # noqa: SIM118
                f: row[f]
                for f in values
                if f in row.keys()  # noqa: SIM118
            }
            assert found[row[TABLES[name]]].hour is not None
    db.close()


async def test_a_night_without_ms_is_not_there(demo):
    """A date on which nothing was observed is told as such, with the nights that there are."""
    with pytest.raises(NotFound, match="nights run from"):
        await read_night(demo._context, "1999-01-01")


async def test_layouts_tell_the_same_rows(copy_of, tmp_path):
    """One file's data, and the same in a products file with its registry: the same digests."""
    folder, split = copy_of(), tmp_path / "split"
    split.mkdir()
    products, registry = split / "products.sqlite3", split / "cal_registry.sqlite3"
    for path in (products, registry):
        shutil.copy(folder / "pipeline.sqlite3", path)
    db = sqlite3.connect(products)
    db.execute("DROP TABLE caltables")
    db.close()
    one, two = await reading(folder), await reading(split)
    assert two.rows.stored["caltables"].rows
    assert one.evidence.summary == two.evidence.summary


async def test_a_column_that_is_absent_is_neither_null_nor_zero(copy_of):
    """A file without a column: each row says so in that field, and nothing else differs."""
    folder = copy_of()
    before = await reading(folder)
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    db.execute("ALTER TABLE images DROP COLUMN dynamic_range")
    db.commit()
    db.close()
    after = await reading(folder)
    changes = diff(before.evidence, after.evidence)
    assert len(changes) == after.night.images.n_rows
    assert {(c.table, c.field, c.new) for c in changes} == {("images", "dynamic_range", "absent")}
    assert after.night.absent["images.dynamic_range"]


async def test_the_store_and_sql_tell_the_same(season_folder):
    """What sources were before is the same to the last bit, however photometry was read."""
    folder = season_folder()
    by_store = await reading(folder)
    async with cl.open(folder, store_mb=0) as lab:
        by_sql = await read_night(lab._context, await lab.last_night(), NOW)
    assert by_store.evidence.summary == by_sql.evidence.summary
    assert len(rows_of(by_sql, "derived: sources before")) > 100


async def test_a_later_night_changes_nothing(copy_of):
    """Evidence of a night stays the same when the night after it is taken away or comes."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        *_, before, last = await lab.nights()
    whole = await reading(folder, before)
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    like = f"%{last}T%"
    db.execute(
        "DELETE FROM photometry WHERE image_path IN (SELECT path FROM images WHERE ms_path LIKE ?)",
        (like,),
    )
    for table, column in (
        ("images", "ms_path"), ("jobs", "ms_path"), ("calibration_applied", "ms_path"),
        ("caltables", "source_ms_path"), ("ms_index", "path"),
    ):  # fmt: skip
        db.execute(f"DELETE FROM {table} WHERE {column} LIKE ?", (like,))
    db.execute("DELETE FROM hdf5_files WHERE group_id LIKE ?", (like,))
    db.commit()
    db.close()
    without = await reading(folder, before)
    assert diff(whole.evidence, without.evidence) == ()
    assert whole.evidence.digest == without.evidence.digest


async def test_an_earlier_night_is_evidence_by_what_follows_from_it(copy_of):
    """Noise of earlier nights that is written anew is found, in the reference of the hour."""
    folder = copy_of()
    before = await reading(folder)
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    night = before.night.night
    db.execute(
        "UPDATE images SET noise_jy = noise_jy * 2 WHERE ms_path NOT LIKE ?", (f"%{night}T%",)
    )
    db.commit()
    db.close()
    changes = diff(before.evidence, (await reading(folder)).evidence)
    assert {change.table for change in changes} == {"derived: noise reference"}


OTHER = st.one_of(
    st.none(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, width=64),
    st.text(max_size=5).filter(lambda text: "\0" not in text and text.isprintable()),
    st.binary(max_size=4),
)


@pytest.fixture(scope="module")
def changed_copy(season_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("changed") / "season"
    shutil.copytree(season_folder(), folder)
    before = asyncio.run(reading(folder))
    return folder, before


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_row_is_found_and_named(changed_copy, data):
    """Any other value in any field of any row of the night: another digest, and the row named."""
    folder, before = changed_copy
    tables = [n for n in TABLES if before.evidence.tables[n].kept]
    name = data.draw(st.sampled_from(tables))
    table = before.evidence.tables[name]
    key = data.draw(st.sampled_from(sorted(table.kept, key=str)))
    old = table.row(key)
    kept = {"path", "ms_path", "id", "image_path", "group_id"}  # by these a row is found
    fields = [f for f, token in old.tokens.items() if f not in kept and token != "absent"]
    field = data.draw(st.sampled_from(fields))
    value = data.draw(OTHER)
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    at = TABLES[name]
    (was,) = db.execute(f"SELECT {field} FROM {name} WHERE {at} = ?", (key,)).fetchone()
    try:
        try:
            db.execute(f"UPDATE {name} SET {field} = ? WHERE {at} = ?", (value, key))
        except sqlite3.IntegrityError:  # NOT NULL, or UNIQUE
            return
        db.commit()
        (now,) = db.execute(f"SELECT quote({field}) FROM {name} WHERE {at} = ?", (key,)).fetchone()
        same = db.execute("SELECT quote(?)", (was,)).fetchone() == (now,)
        if same:
            return
        after = asyncio.run(reading(folder, before.night.night))
        changes = diff(before.evidence, after.evidence)
        assert after.evidence.digest != before.evidence.digest
        if field in ("start_mjd", "mid_mjd", "valid_start_mjd", "valid_end_mjd", "timestamp_mjd"):
            # another time may be another night, where the row is no evidence any more
            assert any(c.table == name and c.key == key for c in changes)
        else:
            assert any((c.table, c.key, c.field) == (name, key, field) for c in changes)
    finally:
        db.rollback()
        db.execute(f"UPDATE {name} SET {field} = ? WHERE {at} = ?", (was, key))
        db.commit()
        db.close()


async def test_hostile_values_are_told_apart(copy_of):
    """Text that is no UTF-8, infinities, NULL and text in numbers: read, and no two alike."""
    folder = copy_of()
    path = folder / "pipeline.sqlite3"
    night = (await reading(folder)).night.night
    db = sqlite3.connect(path)
    (ms,) = db.execute("SELECT path FROM ms_index WHERE path LIKE ?", (f"%{night}T%",)).fetchone()
    told = []
    for value in (b"a\xff", b"a\xfe", "a\ufffd".encode()):
        db.execute("UPDATE ms_index SET field_name = CAST(? AS TEXT) WHERE path = ?", (value, ms))
        db.commit()
        read = await reading(folder)
        told.append(rows_of(read, "ms_index")[ms].tokens["field_name"])
    for noise in (None, math.inf, -math.inf, "loud", b"\x00", 0.0):
        db.execute("UPDATE images SET noise_jy = ? WHERE ms_path = ?", (noise, ms))
        db.commit()
        read = await reading(folder)
        one = next(r for r in rows_of(read, "images").values() if r.values["ms_path"] == ms)
        told.append(one.tokens["noise_jy"])
    assert len(set(told)) == len(told)
    db.execute("UPDATE ms_index SET pointing_ra_deg = 0.0 WHERE path = ?", (ms,))
    db.commit()
    db.close()
    read = await reading(folder)
    assert read.night.ms["ra_deg"][read.night.ms["path"].tolist().index(ms)] == 0.0


async def test_a_path_that_is_no_utf8_has_its_rows(copy_of):
    """An MS whose path holds bytes that are no text: its images and jobs are evidence too."""
    folder = copy_of()
    night = (await reading(folder)).night.night
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    (ms,) = db.execute(
        "SELECT path FROM ms_index WHERE path LIKE ? AND path IN (SELECT ms_path FROM images) "
        "AND path IN (SELECT ms_path FROM jobs)",
        (f"%{night}T%",),
    ).fetchone()
    raw = ms.encode().replace(b".ms", b"\xff.ms")
    for table, column in (("ms_index", "path"), ("images", "ms_path"), ("jobs", "ms_path")):
        db.execute(f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {column} = ?", (raw, ms))
    db.commit()
    db.close()
    read = await reading(folder)
    named = raw.decode("utf-8", "replace")
    assert named in read.night.ms["path"].tolist()
    assert named in read.night.images["ms_path"].tolist()
    assert read.night.runs["attempts"][read.night.runs["path"].tolist().index(named)] > 0
    assert any(isinstance(k, str) and k.startswith("u:") for k in rows_of(read, "ms_index"))


async def test_a_busy_writer_of_other_rows_is_no_hindrance(copy_of):
    """While other nights are written without end, the night is read all the same."""
    folder = copy_of()
    night = (await reading(folder)).night.night
    stop = asyncio.Event()
    commits = 0

    async def write() -> None:
        nonlocal commits
        db = sqlite3.connect(folder / "pipeline.sqlite3")
        while not stop.is_set():
            db.execute(
                "UPDATE ms_index SET field_name = ? WHERE path NOT LIKE ?",
                (str(commits), f"%{night}T%"),
            )
            db.commit()
            commits += 1
            await asyncio.sleep(0.005)
        db.close()

    async with cl.open(folder) as lab:
        writer = asyncio.create_task(write())
        try:
            read = await read_night(lab._context, night, NOW)
        finally:
            stop.set()
            await writer
    assert commits > 1
    assert len(rows_of(read, "ms_index")) == read.night.ms.n_rows
