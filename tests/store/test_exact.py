"""The store answers as SQL does, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.services import _store
from contimg_lab.services._epochs import read_epochs
from contimg_lab.services._field import all_epochs

from .conftest import assert_same, make_database

fluxes = st.one_of(
    st.floats(-1.0, 1e3),
    st.sampled_from([0.0, -0.0, float("inf"), 5e-324, 0.1, 0.30000000000000004, 1e300]),
    st.none(),
    st.sampled_from(["12.5", "flux", b"\x00\xff", 7]),
)
errors = st.one_of(st.floats(1e-4, 1.0), st.sampled_from([0.0, -0.1, float("inf"), None, "e"]))
times = st.one_of(st.floats(60000.0, 60100.0), st.sampled_from([None, 1.76e9, -1.0, "when"]))
names = st.sampled_from(["A", "B", "B ", "é", "NVSS J000000+000000", None])
images = st.sampled_from(["/i/a.fits", "/i/2025-10-09T06:30:00.fits", "/i/b", None])
rows = st.tuples(names, images, fluxes, errors, fluxes, errors, times, times)

FIXTURE = [HealthCheck.function_scoped_fixture]  # it is set anew, to the same, by each example
INSERT = (
    "INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg, nvss_flux_mjy, flux_jy, "
    "flux_err_jy, peak_jyb, peak_err_jyb, mjd, measured_at) VALUES (?, ?, {}, 16.0, 3.5, ?, ?, ?, "
    "?, ?, ?)"
)
UNTYPED = (
    "id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT, ra_deg, dec_deg, nvss_flux_mjy, "
    "peak_jyb, peak_err_jyb, measured_at, mjd, flux_jy, flux_err_jy"
)
OLD = (
    "id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT, ra_deg REAL, dec_deg REAL, "
    "nvss_flux_mjy REAL, peak_jyb REAL, peak_err_jyb REAL, measured_at REAL"
)


def insert(writer: sqlite3.Connection, some: list[tuple[object, ...]]) -> None:
    """Write rows; each has a position of its own."""
    for number, row in enumerate(some):
        writer.execute(INSERT.format(f"{number}.25"), row)


@pytest.mark.parametrize("columns", [UNTYPED], ids=["columns of no type"])
@given(some=st.lists(rows, max_size=12))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_child_reads_what_sql_reads(
    monkeypatch: pytest.MonkeyPatch, columns: str, some: list[tuple[object, ...]]
) -> None:
    """Whatever stands in a row, the child process makes the same epochs of it as SQL does."""
    monkeypatch.setattr(_store, "_SMALL", -1)

    async def compare(folder: Path) -> None:
        writer = make_database(folder / "pipeline.sqlite3", columns)
        insert(writer, some)
        async with cl.open(folder) as lab:
            await lab.sources.prepare()
            ours, _ = await all_epochs(lab._context)
            assert_same(ours, await read_epochs(lab._context, None))
        writer.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder)))


async def test_every_layout_is_read_alike(lab: cl.Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child process makes the same epochs of every kind of database as SQL does."""
    monkeypatch.setattr(_store, "_SMALL", -1)
    await lab.sources.prepare()
    ours, _ = await all_epochs(lab._context)
    theirs = await read_epochs(lab._context, None)
    assert len(ours.row_id) > 1000
    assert_same(ours, theirs)


CHANGES = ("insert", "digit", "delete", "reuse", "swap", "vacuum", "time", "ms", "replace", "none")


@given(
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=5),
    live=st.booleans(),
    child=st.booleans(),
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_change_goes_unseen(
    monkeypatch: pytest.MonkeyPatch, changes: list[str], live: bool, child: bool
) -> None:
    """After any change by the writer each answer equals SQL's, from the store or not."""
    monkeypatch.setattr(_store, "_SMALL", -1 if child else 50_000)
    monkeypatch.setattr(_store, "_REST", 0.0)

    async def drive(folder: Path) -> None:
        path = folder / "pipeline.sqlite3"
        writer = make_database(path)
        for i in range(40):
            writer.execute(
                INSERT.format("0.0"),
                (f"S{i % 4}", f"/i/{i}.fits", 1.0 + i / 7, 0.1, 1.0, 0.1, 60000.0 + i, 1.76e9),
            )
        if not live:
            writer.close()
        async with cl.open(folder) as lab, cl.open(folder, store_mb=0) as sql:
            await lab.sources.prepare()
            served = 0
            for number, change in enumerate(changes):
                if not live:
                    writer = sqlite3.connect(path, isolation_level=None)
                apply(writer, path, change, number)
                if not live:
                    writer.close()
                elif change == "replace":
                    writer.close()
                    writer = sqlite3.connect(path, isolation_level=None)
                await compare(lab, sql)
                await lab.sources.prepare()
                served += await lab._context.store.current() is not None
                await compare(lab, sql)
            assert served == len(changes)  # a quiet file is served from the store
        writer.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(drive(Path(folder)))


async def compare(lab: cl.Lab, sql: cl.Lab) -> None:
    """One curve, many curves, the field's table and its list are those of SQL."""
    theirs = await sql.sources.light_curves([f"S{i}" for i in range(6)])
    for name, curve in theirs.items():
        assert await lab.sources.light_curve_json(name) == await sql.sources.light_curve_json(name)
        assert (
            (await lab.sources.light_curve(name))
            .to_pandas(excluded=True)
            .equals(curve.to_pandas(excluded=True))
        )
    assert (await lab.sources.light_curves(list(theirs))).keys() == theirs.keys()
    assert (await lab.sources.variability()).equals(await sql.sources.variability())
    assert (await lab.sources.table()).equals(await sql.sources.table())


def apply(writer: sqlite3.Connection, path: Path, change: str, number: int) -> None:
    """Change the file as a pipeline, a repair or a careless hand would."""
    if change == "insert":
        writer.execute(
            INSERT.format("359.9"),
            ("S5", f"/i/new{number}", 2.0, 0.1, 2.0, 0.1, 60050.0 + number, 1.76e9),
        )
    elif change == "digit":
        writer.execute("UPDATE photometry SET flux_jy = flux_jy + 2e-16 * flux_jy WHERE id = 7")
    elif change == "delete":
        writer.execute("DELETE FROM photometry WHERE id = (SELECT max(id) FROM photometry)")
    elif change == "reuse":
        writer.execute("DELETE FROM photometry WHERE id = (SELECT max(id) FROM photometry)")
        writer.execute(
            INSERT.format("1.0"), ("S1", "/i/again", 3.0, 0.2, 3.0, 0.2, 60090.0, 1.76e9)
        )
    elif change == "swap":
        writer.execute(
            "UPDATE photometry SET flux_jy = (SELECT sum(flux_jy) FROM photometry "
            "WHERE id IN (3, 11)) - flux_jy WHERE id IN (3, 11)"
        )
    elif change == "vacuum":
        writer.execute("VACUUM")
    elif change == "time":
        writer.execute("UPDATE photometry SET mjd = NULL WHERE id % 5 = 0")
    elif change == "ms":
        writer.execute("UPDATE ms_index SET mid_mjd = mid_mjd + 0.5")
    elif change == "replace":
        other = path.with_name("other.sqlite3")
        with sqlite3.connect(other) as copy:
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            writer.backup(copy)
            copy.execute("UPDATE photometry SET flux_jy = flux_jy * 1.5 WHERE id = 2")
        copy.close()
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        other.replace(path)


async def test_commits_while_it_is_built_are_seen(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    """A state that fell among commits is served only to those who asked before it was read."""
    for i in range(30):
        writer.execute(
            INSERT.format("0.0"), ("S", f"/i/{i}", 1.0, 0.1, 1.0, 0.1, 60000.0 + i, 1.76e9)
        )
    async with cl.open(tmp_path) as lab:
        for number in range(20):
            asked = asyncio.ensure_future(lab.sources.prepare())
            for _ in range(number % 7):
                await asyncio.sleep(0)
            writer.execute("UPDATE photometry SET flux_jy = ? WHERE id = 1", (2.0 + number,))
            await asked
            curve = await lab.sources.light_curve("S")
            assert curve.flux_jy[0] == 2.0 + number


async def test_an_older_state_is_named_as_such(tmp_path: Path, writer: sqlite3.Connection) -> None:
    """Only who says ``max_age_s`` gets an older state, with the time when it was current."""
    for i in range(30):
        writer.execute(
            INSERT.format("0.0"), ("S", f"/i/{i}", 1.0, 0.1, 1.0, 0.1, 60000.0 + i, 1.76e9)
        )
    async with cl.open(tmp_path) as lab:
        first = await lab.sources.variability()
        writer.execute("UPDATE photometry SET flux_jy = 2.0 WHERE id = 1")
        old = await lab.sources.variability(max_age_s=600.0)
        assert old.equals(first)
        assert old.attrs["as_of"] >= first.attrs["as_of"]
        new = await lab.sources.variability()
        assert new.loc["S", "mean_jy"] != first.loc["S", "mean_jy"]
        assert new.attrs["as_of"] > old.attrs["as_of"]
        with pytest.raises(cl.errors.InvalidInput):
            await lab.sources.variability(max_age_s=-1.0)
