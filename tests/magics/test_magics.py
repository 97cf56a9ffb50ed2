"""Magics in a real kernel: what they show, complete and refuse."""

from __future__ import annotations

import html
import json
import re
import sqlite3
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.manager import start_new_kernel

EVIL = (
    "NVSS {open('trace', 'w')} $HOME <b>'\"?",
    "NVSS --scale",
    "NVSS x\ny",
    "100%_",
)


@dataclass
class Said:
    """What one cell said."""

    printed: str = ""
    errors: str = ""
    shown: list[dict[str, str]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)


class Cells:
    """Cells run one after another in one kernel."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, code: str, *, fails: bool = False) -> Said:
        """Run a cell; an error in it fails the test unless it is expected."""
        said = Said()

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                if content["name"] == "stdout":
                    said.printed += content["text"]
                else:
                    said.errors += content["text"]
            elif message["msg_type"] in ("display_data", "execute_result"):
                said.shown.append(content["data"])

        said.reply = self.client.execute_interactive(
            textwrap.dedent(code), output_hook=hear, timeout=120
        )["content"]
        if fails:
            assert said.reply["status"] == "error"
        else:
            assert said.reply["status"] == "ok", said
        return said

    def complete(self, code: str, after: str = "") -> list[str]:
        """Return what stands before the cursor as each completion would leave it."""
        answer = self.client.complete(code + after, len(code), reply=True, timeout=60)["content"]
        assert answer["cursor_end"] == len(code)
        return [code[: answer["cursor_start"]] + match for match in answer["matches"]]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KernelManager, Cells]]:
    manager, client = start_new_kernel(
        kernel_name="python3", startup_timeout=120, cwd=str(tmp_path_factory.mktemp("here"))
    )
    cells = Cells(client)
    cells.run("%load_ext contimg_lab")
    yield manager, cells
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def cells(started: tuple[KernelManager, Cells], season_folder: Callable[..., Path]) -> Cells:
    """A kernel with the extension loaded and the made season open."""
    found = started[1]
    found.run(f"%lab {season_folder()}")
    return found


def test_lab_opens_and_says_what_is_open(
    cells: Cells, season_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """``%lab PATH`` must open a Lab called ``lab`` for ``await``, and ``%lab`` say which it is."""
    folder = season_folder("split")
    spaced = tmp_path / "a 'folder' with {blanks}"
    spaced.symlink_to(folder)
    for words in (str(spaced), repr(str(spaced))):
        said = cells.run(f"%lab {words}")
        assert "split layout, read-only" in said.printed
        assert str(spaced) in said.printed
    assert cells.run("%lab").printed == said.printed
    assert cells.run("print(type(lab).__name__, len(await lab.nights()))").printed == "Lab 30\n"


def test_lab_opens_what_the_environment_says(
    cells: Cells, season_folder: Callable[..., Path]
) -> None:
    """Where no Lab is open, ``%lab`` alone must open what ``PIPELINE_DB`` says."""
    path = season_folder() / "pipeline.sqlite3"
    cells.run(f"import os; os.environ['PIPELINE_DB'] = {str(path)!r}; del lab")
    try:
        assert f"Lab on {path}" in cells.run("%lab").printed
    finally:
        cells.run("del os.environ['PIPELINE_DB']")


def test_lab_opens_the_demo(cells: Cells, season_folder: Callable[..., Path]) -> None:
    """``%lab demo`` must open the built-in season."""
    cache = season_folder().parent
    cells.run(f"import os, platformdirs; os.environ['XDG_CACHE_HOME'] = {str(cache)!r}")
    assert "the built-in season" in cells.run("%lab demo").printed


def test_errors_are_one_line_with_the_way_out(cells: Cells) -> None:
    """What cannot be done must be told in one line, without a traceback; ``lab`` stays."""
    for line, words in (
        ("%lab /no/such/folder", "no file /no/such/folder"),
        ("%night yesterday", "yesterday"),
        ("%night 1999-01-01", "nights run from"),
        ("%lightcurve Nobody", "no source 'Nobody'"),
        ("%lightcurve", "Tab completes"),
        ("%lightcurve 'half", "no Python string"),
        ("%%contimg_sql --into 1x\nSELECT 1", "no name of a variable"),
    ):
        said = cells.run(line, fails=True)
        assert words in said.errors
        assert len(said.errors.splitlines()) == 1, said.errors
    assert cells.run("print(len(await lab.nights()))").printed == "30\n"
    cells.run("del lab")
    assert "%lab PATH" in cells.run("%night", fails=True).errors


def test_magics_follow_the_lab_that_is_there(
    cells: Cells, season_folder: Callable[..., Path]
) -> None:
    """A ``lab`` that was opened by hand, blocking or not, must be the one that magics read."""
    split = str(season_folder("split"))
    for code in (
        f"import contimg_lab as cl; lab = await cl.open({split!r})",
        f"from contimg_lab import blocking; lab = blocking.open({split!r})",
    ):
        cells.run(code)
        assert "split layout" in cells.run("%lab").printed
        said = cells.run("%%contimg_sql\nSELECT count(*) AS n FROM caltables")
        assert "cal_registry.sqlite3" in said.printed


def test_both_loops_at_once(cells: Cells) -> None:
    """While the user's Lab awaits on the kernel's loop, magics must answer beside it."""
    said = cells.run(
        """
        import asyncio
        waiting = asyncio.ensure_future(lab.sources.variability())
        await asyncio.sleep(0)
        ip = get_ipython()
        nights = [ip.run_line_magic("night", "").n_ms for _ in range(3)]
        print(len(set(nights)), len(await waiting) > 0, len(await lab.jobs.table()) > 0)
        """
    )
    assert said.printed == "1 True True\n"


def test_night(cells: Cells) -> None:
    """``%night`` must show the last night, and ``%night DATE`` that one, as the Lab tells it."""
    told = cells.run("print(repr(await lab.qa.night(await lab.last_night())))").printed.strip()
    (shown,) = cells.run("%night").shown
    assert shown["text/plain"] == told
    assert "<table" in shown["text/html"]
    first = cells.run("print((await lab.nights())[0])").printed.strip()
    (shown,) = cells.run(f"%night {first}").shown
    assert shown["text/plain"].startswith(f"Night {first} (UTC)")
    assert cells.run(f"x = %night {first}\nprint(x.night)").printed == f"{first}\n"


def test_light_curve_is_shown_once_with_its_numbers(cells: Cells) -> None:
    """``%lightcurve`` must show one picture, its numbers in the alternative text, and no more."""
    said = cells.run(
        """
        import json
        lc = await lab.sources.light_curve((await lab.sources.list_sources(limit=1))[0].source_id)
        w = lc.flux_err_jy ** -2.0
        mean = (w * lc.flux_jy).sum() / w.sum() * 1e3
        print(json.dumps([lc.source_id, len(lc), len(lc.excluded), f"{mean:.4g}"]))
        """
    )
    name, n, n_out, mean = json.loads(said.printed)
    said = cells.run(f"%lightcurve {name}")
    (shown,) = said.shown
    alt = html.unescape(
        re.search(r'<img alt="([^"]*)" src="data:image/png;base64,', shown["text/html"])[1]
    )
    assert alt == shown["text/plain"]
    assert alt.startswith(f"Light curve of {name}: {n} epochs from ")
    assert f"weighted mean {mean} ± " in alt
    assert f"{n_out} left out" in alt
    assert said.printed == said.errors == ""


def test_light_curve_on_the_corrected_scale(cells: Cells) -> None:
    """``--scale`` must show the fluxes that the statistics with the correction are made of."""
    said = cells.run(
        """
        table = await lab.sources.variability(flux_scale=True)
        name = table["n_used"].idxmax()
        row = table.loc[name]
        print(json.dumps([name, int(row["n_used"]), f"{row['weighted_mean_jy'] * 1e3:.4g}"]))
        """
    )
    name, n, mean = json.loads(said.printed)
    for line in (f"%lightcurve {name} --scale", f"%lightcurve --scale {name}"):
        (shown,) = cells.run(line).shown
        alt = shown["text/plain"]
        assert alt.startswith(f"Light curve of {name} on its images' corrected flux scale: {n} ")
        assert f"weighted mean {mean} ± " in alt


@pytest.fixture
def hostile(copy_of: Callable[..., Path]) -> Path:
    """A season with names that would run, expand or break, one on each of four sources."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        names = connection.execute("SELECT DISTINCT source_id FROM photometry LIMIT 4").fetchall()
        for (name,), evil in zip(names, EVIL, strict=True):
            connection.execute(
                "UPDATE photometry SET source_id = ? WHERE source_id = ?", (evil, name)
            )
        connection.execute('CREATE TABLE "odd ""name" ("a column", b)')
    connection.close()
    return folder


def test_hostile_names_are_completed_so_that_they_are_drawn(
    started: tuple[KernelManager, Cells], hostile: Path
) -> None:
    """A completed name must mean that very source, whatever it holds, and run nothing."""
    cells = started[1]
    cells.run(f"%lab {hostile}")
    for name, typed in zip(EVIL, ("NVSS {", "NVSS -", "NVSS x", "100"), strict=True):
        for begun in (typed, f"'{typed}"):
            lines = cells.complete(f"%lightcurve {begun}")
            assert len(lines) == 1, lines
            (shown,) = cells.run(lines[0]).shown
            assert shown["text/plain"].startswith(f"Light curve of {name}: ")
            assert "<b>" not in shown["text/html"]
    assert cells.complete("%lightcurve 100_") == []
    assert cells.run("import os; print(os.path.exists('trace'))").printed == "False\n"
    quoted = cells.complete('%%contimg_sql\nSELECT * FROM "odd ""name" WHERE a')
    assert any(line.endswith('WHERE "a column"') for line in quoted)


def test_source_names_and_nights_are_completed(cells: Cells) -> None:
    """Tab must offer the sources that begin with what was typed, blanks and signs included."""
    said = cells.run(
        """
        import json
        names = [source.source_id for source in await lab.sources.list_sources(limit=None)]
        print(json.dumps(names))
        """
    )
    names = json.loads(said.printed)
    some = names[len(names) // 2]
    for typed in (some[:6], some[:-3], some):
        wanted = [f"%lightcurve {n}" for n in sorted(names) if n.startswith(typed)][:20]
        assert sorted(cells.complete(f"%lightcurve {typed}")) == wanted
    below = cells.complete(f"x = 1\n%lightcurve --scale {some[:-3]}")
    assert f"x = 1\n%lightcurve --scale {some}" in below
    (night,) = cells.complete("%night 2025-10-09")
    assert night == "%night 2025-10-09"
    assert len(cells.complete("%night ")) == 30


def test_sql_names_are_completed(cells: Cells) -> None:
    """Inside the SQL cell Tab must offer tables, and columns of the tables that it names."""
    assert cells.complete("%%contimg_sql\nSELECT * FROM ms_i") == [
        "%%contimg_sql\nSELECT * FROM ms_index"
    ]
    below = cells.complete("%%contimg_sql --limit 5\nSELECT m.mid_m", " FROM ms_index AS m")
    assert below == ["%%contimg_sql --limit 5\nSELECT m.mid_mjd"]
    columns = cells.complete("%%contimg_sql\nSELECT * FROM caltables AS c WHERE c.valid_")
    assert [line.rsplit(".", 1)[1] for line in columns] == ["valid_start_mjd", "valid_end_mjd"]
    columns = cells.complete("%%contimg_sql\nSELECT * FROM photometry\nWHERE flux_")
    assert [line.rsplit(" ", 1)[1] for line in columns] == ["flux_jy", "flux_err_jy"]
    assert cells.complete("%%contimg_sql\nSELECT * FROM jobs AS j WHERE k.") == []
    cells.run("flux_of_mine = 1")
    assert "flux_of_mine" in cells.complete("flux_of")


def test_sql_gives_a_frame(cells: Cells) -> None:
    """The SQL cell must show a DataFrame, say how many rows of which file, and read variables."""
    cells.run("status = 'done'")
    said = cells.run(
        "%%contimg_sql --limit 3\nSELECT path, mid_mjd FROM ms_index WHERE status = :status"
    )
    (shown,) = said.shown
    assert "<table" in shown["text/html"]
    assert re.match(
        r"3 rows; cut at 3 rows, there are more \(--limit 3\): pipeline\.sqlite3, read-only, "
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(UTC\), \d+\.\d\d s\n$",
        said.printed,
    )
    said = cells.run("%%contimg_sql --into mine\nSELECT count(*) AS n FROM ms_index")
    assert said.shown == []
    assert said.printed.startswith("1 row: pipeline.sqlite3")
    assert cells.run("print(int(mine.n[0]) == len(await lab.ms.table()))").printed == "True\n"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT INTO jobs DEFAULT VALUES", "INSERT is refused"),
        ("WITH x AS (SELECT 1) DELETE FROM jobs", "DELETE from jobs is refused"),
        ("ATTACH 'trace' AS t", "ATTACH is refused"),
        ("PRAGMA journal_mode = DELETE", "PRAGMA is refused"),
        ("SELECT load_extension('x')", "load_extension is refused"),
        ("SELECT writefile('trace', 'x')", "writefile"),
        ("SELECT 1; DROP TABLE jobs", "one statement at a time"),
        ("SELECT :nobody", "no value for :nobody"),
        ("SELECT * FROM nowhere", "no table nowhere"),
    ],
)
def test_sql_refuses(
    sql: str, words: str, cells: Cells, season_folder: Callable[..., Path]
) -> None:
    """What would write, attach, load or set must be refused in one line; no byte changes."""
    path = season_folder() / "pipeline.sqlite3"
    before = path.read_bytes()
    said = cells.run(f"%%contimg_sql\n{sql}", fails=True)
    assert words in said.errors
    assert said.reply["ename"] == "UsageError"
    assert path.read_bytes() == before
    assert cells.run("import os; print(os.path.exists('trace'))").printed == "False\n"


def test_sql_ends_at_its_time_limit_and_at_an_interrupt(
    started: tuple[KernelManager, Cells], cells: Cells
) -> None:
    """An endless statement must end at ``--timeout``, or at the stop button, and say which."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    said = cells.run(f"%%contimg_sql --timeout 0.5\n{endless}", fails=True)
    assert "ended after 0.5 s" in said.errors
    manager, client = started[0], cells.client
    asked = client.execute(f"%%contimg_sql --timeout 300\n{endless}")
    time.sleep(1.5)
    manager.interrupt_kernel()
    while True:
        reply = client.get_shell_msg(timeout=60.0)
        if reply["parent_header"].get("msg_id") == asked:
            break
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert cells.run("%%contimg_sql\nSELECT 1 AS one").shown


def test_unloading_leaves_the_users_lab(started: tuple[KernelManager, Cells], cells: Cells) -> None:
    """``%unload_ext`` must take the magics away and close their Lab, and leave ``lab`` open."""
    cells.run("%night")
    cells.run("%load_ext contimg_lab")
    cells.run("%unload_ext contimg_lab")
    said = cells.run("%night", fails=True)
    assert "not found" in said.errors
    assert cells.complete("%lightcurve NVSS") == []
    assert cells.run("print(len(await lab.nights()))").printed == "30\n"
    cells.run("%load_ext contimg_lab")
    assert cells.run("%night").shown
