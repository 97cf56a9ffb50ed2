"""``contimg-lab qa run``: files, exit codes, what is run again, what a killed run leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import psutil
import pytest

import contimg_lab
from contimg_lab import blocking as cl
from contimg_lab.cli._qa_files import still_stands, whole_report
from contimg_lab.cli._qa_notebook import notebook_digest
from contimg_lab.services.night_report import report_schema

CODES = {"pass": 0, "warn": 1, "fail": 2}
FILES = ("qa_signoff.ipynb", "report.html", "report.json")
VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass
class Site:
    """A database, and the folder that three of its nights were run into."""

    season: Path
    ledger: Path
    out: Path
    nights: tuple[str, ...]
    said: subprocess.CompletedProcess[str]

    @property
    def range(self) -> str:
        """The three nights, as the command takes them."""
        return f"{self.nights[0]}..{self.nights[-1]}"

    def words(self, nights: str | None = None) -> list[object]:
        """What to type."""
        options = ["--db", self.season, "--out", self.out, "--ledger", self.ledger]
        return ["qa", "run", nights or self.range, *options]

    def report(self, night: str) -> dict[str, Any]:
        """The report of one of them."""
        return json.loads((self.out / night / "report.json").read_text())

    def times(self) -> dict[str, int]:
        """When each file was written."""
        held = (self.out / night / name for night in self.nights for name in FILES)
        return {str(path.relative_to(self.out)): path.stat().st_mtime_ns for path in held}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, season_folder, command) -> Site:
    """The last three nights but one of the season, the middle one signed, then run at once."""
    top = tmp_path_factory.mktemp("qa")
    season = shutil.copytree(season_folder(), top / "season")
    ledger = top / "ledger.sqlite3"
    with cl.open(season, ledger=ledger) as lab:
        nights = lab.nights()[-4:-1]
        report = lab.qa.night(nights[1])
        lab.qa.sign(report, reviewer="Ana", decision="hold", reason="flux scale is looked into")
    made = Site(season, ledger, top / "out", nights, None)
    made.said = command(*made.words())
    return made


@pytest.fixture
def mine(site: Site, tmp_path: Path) -> Site:
    """A copy of it, to be changed at will."""
    for name in ("season", "out"):
        shutil.copytree(getattr(site, name), tmp_path / name)
    return Site(tmp_path / "season", site.ledger, tmp_path / "out", site.nights, site.said)


@pytest.mark.notebooks
def test_a_range_is_judged(site: Site) -> None:
    """Each night has a line and three files; the exit code is the worst night's."""
    with cl.open(site.season) as lab:
        verdicts = {night: lab.qa.night(night).verdict for night in site.nights}
    assert site.said.returncode == max(CODES[verdict] for verdict in verdicts.values())
    assert site.said.stderr == ""
    lines = site.said.stdout.splitlines()
    for night, verdict in verdicts.items():
        assert any(line.startswith(f"{night}: {verdict}, ") for line in lines)
        assert {path.name for path in (site.out / night).iterdir()} == set(FILES)
    assert lines[-1] == f"index: {site.out / 'index.html'}"
    assert len(lines) == len(verdicts) + 1


@pytest.mark.notebooks
def test_the_report_is_of_the_notebook(site: Site) -> None:
    """report.json is what the published schema tells, and what the Lab says of the same rows."""
    for night in site.nights:
        told = site.report(night)
        jsonschema.validate(told, report_schema())
        with cl.open(site.season) as lab:
            now = lab.qa.night(night)
        assert told["evidence"] == now.to_json()["evidence"]
        assert still_stands(told, now)
        book = nbformat.read(site.out / night / FILES[0], as_version=4)
        nbformat.validate(book)
        assert "widgets" not in book.metadata
        assert "report.to_json" not in book.cells[-1].source
        outputs = [one for cell in book.cells for one in cell.get("outputs", ())]
        assert outputs
        assert all(one.output_type != "error" for one in outputs)
        assert not any(VIEW in one.get("data", {}) for one in outputs)
        assert f'night = "{night}"' in "".join(cell.source for cell in book.cells)


@pytest.mark.notebooks
def test_the_shipped_notebook_is_not_touched(site: Site) -> None:
    """The notebook that came with the package has no outputs of this run, nor its parameters."""
    from contimg_lab.cli._notebook import shipped_notebook

    text = shipped_notebook("qa_signoff.ipynb").read_text()
    assert str(site.season) not in text
    assert "injected-parameters" not in text


class References(HTMLParser):
    """Collects what a browser would fetch or run, and every link."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object", "embed", "base"):
            self.found.append(tag)
        for name, value in attrs:
            if name == "src" and (value or "").startswith("data:image/png;base64,"):
                continue
            if name.startswith("on") or re.search(r"https?:|//[a-z]", value or "", re.IGNORECASE):
                self.found.append(f"{name}={value}")
            if name in ("src", "href") and not re.match(
                r"#|\d{4}-\d\d-\d\d/report\.html$", value or ""
            ):
                self.found.append(f"{name}={value}")


def outside(page: str) -> list[str]:
    """What a page needs from elsewhere."""
    reader = References()
    reader.feed(page)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL)
    return reader.found + [s for s in styles if re.search(r"@import|url\((?!data:)", s)]


@pytest.mark.notebooks
def test_pages_need_nothing_but_themselves(site: Site) -> None:
    """Neither a report nor the index fetches or runs anything, from outside or beside."""
    pages = [*site.out.glob("*/report.html"), site.out / "index.html"]
    assert len(pages) == 4
    for path in pages:
        text = path.read_text()
        assert outside(text) == []
        assert "Content-Security-Policy" in text
    for path in pages[:-1]:
        assert "href=" not in re.sub(r'href="#', "", path.read_text())


@pytest.mark.notebooks
def test_a_printed_report_is_held_to(site: Site, command) -> None:
    """On the page stand head and number of the ledger, digests, set, versions and time."""
    head = json.loads(command("ledger", "list", "--ledger", site.ledger, "--json").stdout)["head"]
    assert head["number"] == 1
    for night in site.nights:
        page, told = (site.out / night / "report.html").read_text(), site.report(night)
        for words in (
            f"head {head['number']}:{head['hash']}",
            f"{told['thresholds']['name']}, SHA-256 {told['thresholds']['digest']}",
            told["evidence"]["digest"],
            told["database"]["identity"],
            f"contimg_lab {contimg_lab.__version__}",
            f"{told['as_of'][:19].replace('T', ' ')} UTC",
        ):
            assert words in page
        kept = re.search(r"head (\d+:[0-9a-f]{64})", page)
        checked = command("ledger", "verify", "--ledger", site.ledger, "--head", kept[1])
        assert checked.returncode == 1  # a note: unsigned


@pytest.mark.notebooks
def test_index(site: Site) -> None:
    """The index has each night with its verdict, its checks and how it stands in the ledger."""
    told = json.loads((site.out / "index.json").read_text())
    schema = Path(contimg_lab.__file__).with_name("qa_index.schema.json")
    jsonschema.validate(told, json.loads(schema.read_text()))
    assert [row["night"] for row in told["nights"]] == list(site.nights)
    states = [row["sign_off"]["state"] for row in told["nights"]]
    assert states == ["unsigned", "hold", "unsigned"]
    page = (site.out / "index.html").read_text()
    for row in told["nights"]:
        report = site.report(row["night"])
        assert row["verdict"] == report["verdict"]
        failing = {one["check"] for one in report["outcomes"] if one["word"] == "fail"}
        assert {name for name, word in row["checks"].items() if word == "fail"} == failing
        assert row["figures"]["noise_jy"]["value"] == report["summary"]["noise_median_jy"]
        assert f'<a href="{row["night"]}/report.html">' in page
    assert page.count("data:image/png;base64,") >= 6
    # the fourteen nights before them were looked at, though nobody asked for their reports
    assert len(told["before"]) == 14
    noisy = [one["figures"]["noise_jy"] is not None for one in told["before"]]
    assert told["nights"][0]["figures"]["noise_jy"]["n_before"] == sum(noisy)


@pytest.mark.slow
@pytest.mark.notebooks
def test_what_stands_is_not_run_again(mine: Site, command) -> None:
    """A second run executes no notebook and gives the same exit codes, night by night too."""
    before = mine.times()
    again = command(*mine.words())
    assert again.returncode == mine.said.returncode
    assert again.stdout.count("stands, not run again") == 3
    for night in mine.nights[:2]:
        code = CODES[mine.report(night)["verdict"]]
        assert command(*mine.words(night)).returncode == code
    assert mine.times() == before


@pytest.mark.notebooks
def test_what_changed_is_run_again(mine: Site, command) -> None:
    """Where a row of one night changed, that night alone is run again, and says the new."""
    last = mine.nights[-1]
    with closing(sqlite3.connect(mine.season / "pipeline.sqlite3")) as connection:
        connection.execute(
            "UPDATE images SET noise_jy = noise_jy * 9 WHERE path LIKE ?", (f"%{last}T%",)
        )
        connection.commit()
    before, old = mine.times(), mine.report(last)
    again = command(*mine.words())
    assert again.stdout.count("stands, not run again") == 2
    now = mine.times()
    assert {name.split("/")[0] for name in now if now[name] != before[name]} == {last}
    assert mine.report(last)["evidence"]["digest"] != old["evidence"]["digest"]
    assert mine.report(last)["summary"]["noise_median_jy"] == pytest.approx(
        9 * old["summary"]["noise_median_jy"]
    )


@pytest.mark.slow
@pytest.mark.notebooks
def test_again(mine: Site, command) -> None:
    """With --again a night that stands is run all the same, and comes to the same."""
    night = mine.nights[0]
    before, old = mine.times(), mine.report(night)
    command(*mine.words(night), "--again")
    now = mine.times()
    assert {name for name in now if now[name] != before[name]} == {f"{night}/{n}" for n in FILES}
    words = [(one["check"], one["key"], one["word"]) for one in old["outcomes"]]
    now_words = [(one["check"], one["key"], one["word"]) for one in mine.report(night)["outcomes"]]
    assert now_words == words


@pytest.mark.notebooks
@pytest.mark.parametrize("file", FILES)
def test_files_of_two_runs_are_not_taken_for_one(mine: Site, file: str) -> None:
    """A night of which one file is missing, or is another run's, is not complete."""
    folder, other = mine.out / mine.nights[0], mine.out / mine.nights[1]
    assert whole_report(folder, notebook_digest()) == mine.report(mine.nights[0])
    assert whole_report(folder, "0" * 64) is None
    shutil.copy(other / file, folder / file)
    assert whole_report(folder, notebook_digest()) is None
    (folder / file).unlink()
    assert whole_report(folder, notebook_digest()) is None


@pytest.mark.parametrize(
    "where",
    [
        ("database", "identity"),
        ("thresholds", "digest"),
        ("thresholds", "name"),
        ("versions", "contimg_lab"),
        ("evidence", "digest"),
        ("outcomes", 0, "word"),
        ("verdict",),
    ],
    ids=str,
)
def test_what_a_report_stands_on(season_folder, where: tuple[Any, ...]) -> None:
    """A report stands no longer where database, limits, version, rows or a word are others."""
    with cl.open(season_folder()) as lab:
        now = lab.qa.night(lab.last_night())
    held = json.loads(json.dumps(now.to_json()))
    assert still_stands(held, now)
    told = held
    for key in where[:-1]:
        told = told[key]
    told[where[-1]] = "another"
    assert not still_stands(held, now)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["2031-01-01"], "nights run from"),
        (["2031-01-01..2031-01-09"], "nights run from"),
        (["2025-11-06..2025-11-03"], "first night is after the last"),
        (["yesterday"], "yesterday"),
        (["2025-11-06", "--thresholds", "none such"], "none such"),
        (["2025-11-06", "--jobs", "0"], "--jobs 0"),
    ],
)
def test_what_cannot_be_judged(season_folder, command, tmp_path, words, hint) -> None:
    """A night that is not there, or words that mean nothing: 3, and one line that says so."""
    said = command("qa", "run", *words, "--db", season_folder(), "--out", tmp_path / "out")
    assert said.returncode == 3
    (line,) = said.stderr.splitlines()
    assert hint in line
    assert not list(tmp_path.iterdir())


def test_no_database(command, tmp_path: Path) -> None:
    """A file that is no database, or is not there, gives 3 with words, never a verdict."""
    (tmp_path / "pipeline.sqlite3").write_text("no database at all")
    for path in (tmp_path, tmp_path / "nothing"):
        said = command("qa", "run", "all", "--db", path, "--out", tmp_path / "out")
        assert said.returncode == 3
        (line,) = said.stderr.splitlines()
        assert str(path) in line
    assert not (tmp_path / "out").exists()


def test_out_that_is_a_file(command, season_folder, tmp_path: Path) -> None:
    """Where nothing can be written the exit code is 3, and the words name the place."""
    (tmp_path / "out").write_text("")
    said = command("qa", "run", "all", "--db", season_folder(), "--out", tmp_path / "out")
    assert said.returncode == 3
    assert str(tmp_path / "out") in said.stderr


@pytest.mark.notebooks
def test_a_notebook_that_fails(mine: Site, command) -> None:
    """A night whose rows cannot be read is 3 with the reason; the index says so beside its past."""
    file = mine.season / "pipeline.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'images' AND type = 'table'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(bytes([7]) * size)
    night = mine.nights[0]
    old = mine.report(night)
    said = command(*mine.words(night), "--again")
    assert said.returncode == 3
    assert f"{night} could not be judged: cell" in said.stderr
    assert mine.report(night) == old
    told = json.loads((mine.out / "index.json").read_text())
    row = next(row for row in told["nights"] if row["night"] == night)
    assert row["why_not"]
    assert "could not be judged" in (mine.out / "index.html").read_text()


def marked(mark: str) -> list[psutil.Process]:
    """Processes that bear a mark in their environment: those that a command left."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("QA_TEST_MARK") == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]


def gone(mark: str) -> bool:
    """Whether they end by themselves, within half a minute."""
    deadline = time.monotonic() + 30.0
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not left


@pytest.fixture
def started(site: Site, tmp_path: Path) -> Iterator[tuple[Site, subprocess.Popen[str], str]]:
    """The range begun anew into an empty folder, one night done and the next in its kernel."""
    fresh = Site(site.season, site.ledger, tmp_path / "out", site.nights, site.said)
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "contimg_lab", *map(str, fresh.words()), "--jobs", "1"],
        env={**os.environ, "QA_TEST_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300.0
    first = fresh.out / fresh.nights[0] / "report.json"
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    while (
        process.poll() is None
        and time.monotonic() < deadline
        and not any("ipykernel_launcher" in " ".join(one.cmdline()) for one in marked(mark))
    ):
        time.sleep(0.02)
    assert len(marked(mark)) >= 3  # the command, the process that runs nights, the kernel
    yield fresh, process, mark
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.notebooks
def test_a_killed_run_goes_on(started, command) -> None:
    """After kill -9 no kernel is left, no file is half written, and the next run does the rest."""
    fresh, process, mark = started
    process.kill()
    process.wait()
    assert gone(mark)
    done = [night for night in fresh.nights if (fresh.out / night / "report.json").exists()]
    assert fresh.nights[0] in done
    assert len(done) < 3
    for night in done:
        assert whole_report(fresh.out / night, notebook_digest()) is not None
    again = command(*fresh.words())
    assert again.returncode == fresh.said.returncode
    assert again.stdout.count("stands, not run again") == len(done)
    for night in fresh.nights:
        assert {path.name for path in (fresh.out / night).iterdir()} == set(FILES)


@pytest.mark.notebooks
def test_interrupt_leaves_no_child(started) -> None:
    """Ctrl-C ends it with exit code 130, without a traceback, and with its children."""
    _, process, mark = started
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert gone(mark)


@pytest.mark.slow
@pytest.mark.notebooks
def test_without_a_database(command: Callable[..., Any], season_folder, tmp_path: Path) -> None:
    """Without --db the built-in season is judged."""
    season = season_folder()
    cache = tmp_path / "contimg_lab"
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with cl.open(season) as lab:
        night, identity = lab.last_night(), lab.identity()
        verdict = lab.qa.night(night).verdict
    said = command("qa", "run", night, "--out", tmp_path / "out", env=env)
    assert said.returncode == CODES[verdict], said.stderr
    assert list(cache.iterdir())
    told = json.loads((tmp_path / "out" / night / "report.json").read_text())
    assert told["database"]["identity"] == identity
    assert "nobody has signed yet" in (tmp_path / "out" / night / "report.html").read_text()


@pytest.mark.browser
def test_it_is_read_offline_and_printed(site: Site, browser) -> None:
    """A browser asks for nothing but the page; on paper it is A4, and no table is cut off."""
    path = site.out / site.nights[0] / "report.html"
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 less its margins, 96 a inch
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    paper = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert boxes
    assert {(round(float(w)), round(float(h))) for w, h in boxes} <= {(595, 842), (596, 842)}
    page.close()
