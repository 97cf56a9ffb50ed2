"""The stream of events: complete, in order, shared, bounded, and gone when nobody listens."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import sqlite3
import sys
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.records.events import KINDS, Event
from contimg_lab.repositories.changes import _BLOCKS, _STARTS, BLOCK_ROWS, ROW
from contimg_lab.services._events import EventStream
from contimg_lab.services._packed import PackedTable, parse_rows

WRITER = Path(__file__).with_name("writer.py")


def write(folder: Path, *statements: str) -> None:
    """Commit once, as another process would."""
    db = sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)
    with db:
        for sql in statements:
            db.execute(sql)
    db.close()


async def take(events: EventStream, n: int = 1) -> list[Event]:
    """The next events."""
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(n)]


@pytest.fixture
async def live(copy_of: Callable[..., Path]) -> AsyncIterator[tuple[cl.Lab, Path]]:
    """A Lab on a private copy, and its folder."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        yield lab, folder


async def test_every_kind_of_change_is_told(live: tuple[cl.Lab, Path]) -> None:
    """A change of each kind must come with its key, what was before and what is now."""
    lab, folder = live
    runs = await lab.jobs.list_jobs(status="running", limit=1)
    ms = runs[0].ms_path
    cal = (await lab.caltables.list_caltables(limit=1))[0].path
    async with lab.events() as events:
        write(folder, f"UPDATE jobs SET status = 'failed' WHERE ms_path = '{ms}'")
        (event,) = await take(events)
        assert (event.kind, event.key, event.old, event.new) == ("status", ms, "running", "failed")
        assert event.at.utcoffset() is not None
        assert event.text == f"run of {ms.rsplit('/', 1)[-1]}: running, now failed"
        write(folder, f"UPDATE caltables SET status = 'retired' WHERE path = '{cal}'")
        (event,) = await take(events)
        assert (event.kind, event.key, event.new) == ("caltable", cal, "retired")
        write(folder, f"DELETE FROM caltables WHERE path = '{cal}'")
        (event,) = await take(events)
        assert (event.kind, event.key, event.old, event.new) == ("caltable", cal, "retired", None)
        write(
            folder,
            "INSERT INTO images (path, ms_path, created_at, type) VALUES ('/i', '/m', 1, 'image')",
            "INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg) "
            "VALUES ('a', '/i', 1, 2), ('b', '/i', 1, 2)",
        )
        image, measured = await take(events, 2)
        assert (image.kind, image.key, image.old, image.new) == ("image", "/i", None, "image")
        assert (measured.kind, measured.key, measured.new) == ("photometry", "/i", 2)
        write(folder, f"UPDATE ms_index SET stage = 'x' WHERE path = '{ms}'")
        (event,) = await take(events)
        assert (event.kind, event.key, event.old, event.new) == ("job", ms, "failed", "failed")
        write(folder, f"DELETE FROM jobs WHERE ms_path = '{ms}'")
        write(folder, f"DELETE FROM ms_index WHERE path = '{ms}'")
        while (await take(events))[0].new is not None:
            pass


async def test_what_is_not_watched_row_by_row_is_told_as_other(live: tuple[cl.Lab, Path]) -> None:
    """A measurement changed in place, or a table that nobody watches, must not be silent."""
    lab, folder = live
    async with lab.events() as events:
        write(folder, "UPDATE photometry SET flux_jy = 1.0 WHERE id = 1")
        assert [event.kind for event in await take(events)] == ["other"]


async def test_a_replaced_file_is_noticed_and_compared(live: tuple[cl.Lab, Path]) -> None:
    """Another file in the old one's place must be told, and how its runs differ."""
    lab, folder = live
    ms = (await lab.jobs.list_jobs(status="running", limit=1))[0].ms_path
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    write(other, f"UPDATE jobs SET status = 'failed' WHERE ms_path = '{ms}'")
    async with lab.events() as events:
        (other / "pipeline.sqlite3").replace(folder / "pipeline.sqlite3")
        told = await take(events, 2)
    assert [(event.kind, event.new) for event in told] == [("status", "failed"), ("other", None)]
    assert "replaced" in told[1].text


async def test_complete_and_in_order_under_a_writer(live: tuple[cl.Lab, Path]) -> None:
    """At ten commits a second every run, image and measurement must come, once and in order."""
    lab, folder = live
    rounds = 14
    found: list[Event] = []
    async with lab.events() as events:
        process = await asyncio.create_subprocess_exec(
            sys.executable, WRITER, folder / "pipeline.sqlite3", str(rounds), "10",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said = asyncio.ensure_future(process.communicate())
        last = f"/live/2026-01-05T00-{rounds - 1:02d}-00.fits"
        async with asyncio.timeout(60):
            async for event in events:
                found.append(event)
                if event.kind == "photometry" and event.key == last:
                    break
        made = json.loads((await said)[0])["made"]
    runs = [event for event in found if event.kind in ("job", "status")]
    assert [event.key for event in runs if event.old is None] == [ms for ms, _, _ in made]
    for ms, _, end in made:
        chain = [event for event in runs if event.key == ms]
        assert [event.old for event in chain[1:]] == [event.new for event in chain[:-1]]
        assert chain[-1].new == ("failed" if end == "failed" else "completed")
    images = [image for _, image, _ in made if image]
    assert [event.key for event in found if event.kind == "image"] == images
    measured = {e.key: e.new for e in found if e.kind == "photometry"}
    assert measured == dict.fromkeys(images, 5)
    assert {event.kind for event in found} <= set(KINDS)
    place = {(event.kind, event.key): at for at, event in reversed(list(enumerate(found)))}
    for image in images:
        begun = place["job", image.replace(".fits", ".ms")]
        assert begun < place["image", image] < place["photometry", image]


async def test_a_slow_reader_is_told_of_many_in_one(live: tuple[cl.Lab, Path]) -> None:
    """What a reader cannot take must be counted in one event, while others get all of it."""
    lab, folder = live
    async with lab.events() as slow, lab.events() as quick:
        values = ", ".join(f"('/i{k}', '/m', 1, 'image')" for k in range(700))
        seen: Counter[str] = Counter()
        for batch in range(2):
            rows = values.replace("/i", f"/b{batch}/i")
            write(folder, f"INSERT INTO images (path, ms_path, created_at, type) VALUES {rows}")
            seen.update(event.kind for event in await take(quick, 700))
        assert seen == {"image": 1400}
        (many,) = await take(slow)
        assert (many.kind, many.new, many.text) == ("many", 1400, "1400 events: 1400 image")
        write(folder, "UPDATE images SET type = 'psf' WHERE path = '/b0/i0'")
        assert (await take(slow))[0].new == "psf"


async def test_one_watcher_for_all_and_nothing_left(live: tuple[cl.Lab, Path]) -> None:
    """Listeners must share two tasks, which the last of them ends, by whatever way it leaves."""
    lab, folder = live
    await lab.token()
    before = asyncio.all_tasks()
    async with lab.events() as first:
        async with lab.events():
            assert len(asyncio.all_tasks() - before) == 2  # the other looks at sign-offs
        write(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
        assert await take(first)
    assert asyncio.all_tasks() == before


async def test_leaving_the_loop_ends_the_watcher(live: tuple[cl.Lab, Path]) -> None:
    """A reader that breaks out of its loop and is gone must leave no task behind."""
    lab, folder = live
    await lab.token()
    before = asyncio.all_tasks()

    async def first() -> Event:
        async for event in lab.events():
            return event
        raise AssertionError

    reading = asyncio.ensure_future(first())
    await asyncio.sleep(0.7)
    write(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
    assert (await asyncio.wait_for(reading, 20)).new == "failed"
    async with asyncio.timeout(20):
        await asyncio.wait(asyncio.all_tasks() - before)
    assert asyncio.all_tasks() == before


async def test_close_ends_the_stream_and_keeps_nothing(copy_of: Callable[..., Path]) -> None:
    """A closed Lab must end the loops over its events, and be collected."""
    before = asyncio.all_tasks()
    lab = await cl.open(copy_of())
    events = lab.events()

    async def read(stream: EventStream) -> list[Event]:
        return [event async for event in stream]

    reading = asyncio.ensure_future(read(events))
    await asyncio.sleep(0.3)
    await lab.close()
    assert await asyncio.wait_for(reading, 10) == []
    with pytest.raises(cl.errors.Closed):
        await anext(lab.events())
    assert asyncio.all_tasks() == before
    dead = [weakref.ref(lab), weakref.ref(events), weakref.ref(lab.watcher)]
    del lab, events, reading
    gc.collect()
    assert [reference() for reference in dead] == [None, None, None]


texts = st.text("a'é\n\0N", max_size=5)
rows = st.dictionaries(
    st.integers(0, 2000),
    st.tuples(st.none() | st.integers(-9, 9) | texts, st.none() | st.floats(allow_nan=False)),
    max_size=8,
)
Rows = dict[int, tuple[object, object]]


def stored(state: Rows) -> tuple[tuple[tuple[str, ...], dict[int, str]], list[int]]:
    """What the queries make of these rows, by SQLite itself."""

    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
    db.executemany("INSERT INTO t VALUES (?, ?, ?)", [(k, *v) for k, v in state.items()])
    values = "quote(a) || char(31) || quote(b)"
    told = {"table": "t", "most": BLOCK_ROWS - 1, "values": values}
    starts = [row[0] for row in db.execute(_STARTS.format(**told))]
    rows = db.execute(_BLOCKS.format(**told), (json.dumps(starts),))
    return (("a", "b"), dict(rows.fetchall())), starts


@given(before=rows, after=rows)
def test_what_differs_is_what_differs(before: Rows, after: Rows) -> None:
    """Of two states of a table exactly the rows that differ must be found, whatever is in them."""
    table = PackedTable()
    table.update(stored(before)[0], first=True)
    found = table.update(*stored(after))
    differ = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
    assert found.old.keys() == differ & before.keys()
    assert found.new.keys() == differ & after.keys()
    for rowid, row in found.new.items():
        a, b = after[rowid]
        assert row["a"] == (None if isinstance(a, str) and "\0" in a else a) or "\0" in str(a)
        assert row["b"] is None if b is None else row["b"] == pytest.approx(b, rel=1e-12)
    assert table.update(*stored(after)) == type(found)()


def test_our_own_marks_in_a_text_do_no_harm() -> None:
    """A text that holds what stands between rows must not be taken for a row."""
    (columns, blocks), _ = stored({1: ("x" + ROW + "y", 1.0), 2: ("z", 2.0)})
    assert set(parse_rows(columns, blocks[0])) == {1, 2}


async def test_an_old_row_of_a_long_table_has_its_turn(live: tuple[cl.Lab, Path]) -> None:
    """A change far from the end of a long table must be found, though later, and told once."""
    lab, folder = live
    rows = ", ".join(f"('/old/{k}.ms', 'pending')" for k in range(40_000))
    write(folder, f"INSERT INTO ms_index (path, status) VALUES {rows}")
    async with lab.events() as events:
        for k in (20_000, 20_001, 3):
            write(folder, f"UPDATE ms_index SET status = 'failed' WHERE path = '/old/{k}.ms'")
            (event,) = await take(events)
            assert (event.kind, event.key, event.new) == ("status", f"/old/{k}.ms", "failed")
