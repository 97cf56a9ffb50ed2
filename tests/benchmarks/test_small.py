"""The benchmark in small: every path must still be as many times as fast as it was."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.bench import WORKS, Line, Report, Settings, run
from contimg_lab.bench._lines import with_growth, with_ratios
from contimg_lab.bench._measure import percentiles_ms
from contimg_lab.bench._table import table
from contimg_lab.cli import bench as command
from contimg_lab.cli import main
from contimg_lab.demo import Season, make_season
from contimg_lab.errors import InvalidInput

# about a third of what was measured on two cores: at 10^5 rows, 2,000 Measurement Sets, 50 MB
FLOORS = {
    ("light curves", "ours, SQL"): 3.0,
    ("light curves", "ours, store"): 150.0,
    ("light curves, writer at work", "ours, SQL"): 3.0,
    ("light curves, writer at work", "ours, store on"): 3.0,
    ("scan", "ours"): 0.09,  # so few rows are read sooner than a process starts
    ("200 jobs", "ours"): 10.0,
    ("log tail", "ours"): 23.0,
    ("statistics: moment statistics", "ours"): 25.0,
    ("one commit of 5,000 rows", "statistics after the proof"): 7.0,
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Every work, once, in small."""
    settings = Settings(
        rows=(100_000,),
        seconds=0.8,
        callers=8,
        cache=tmp_path_factory.mktemp("cache"),
        n_ms=2_000,
        n_listed=200,
        log_bytes=50_000_000,
        peers=False,
    )
    return run(settings)


@pytest.mark.slow
@pytest.mark.bench
def test_every_way_answers_alike(report: Report) -> None:
    """Every way gives an answer, and the numbers of the older design."""
    wrong = [f"{each.work}, {each.way}: {each.note}" for each in report.lines if each.is_wrong]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.bench
@pytest.mark.parametrize(("work", "way"), FLOORS)
def test_ratio(report: Report, work: str, way: str) -> None:
    """Each ratio in one run stays above its floor."""
    found = [each.ratio for each in report.lines if (each.work, each.way) == (work, way)]
    assert len(found) == 1
    assert found[0] is not None
    assert found[0] >= FLOORS[work, way]


@pytest.mark.slow
@pytest.mark.bench
def test_writer_is_let_through(report: Report) -> None:
    """Beside each of our readers the writer commits, and its checkpoint gets through."""
    ours = [each for each in report.lines if "beside" in each.way and "ours" in each.way]
    assert len(ours) == 3
    assert all("checkpoint through" in each.note for each in ours)


@pytest.mark.slow
@pytest.mark.bench
def test_report_says_where(report: Report) -> None:
    """Machine, versions, date and every line stand in the JSON and in the table."""
    told = json.loads(report.to_json())
    assert {"machine", "versions", "commit", "date_utc", "lines"} <= set(told)
    assert len(told["lines"]) == len(report.lines)
    text = report.table()
    assert told["machine"]["cpu"] in text
    assert all(each.way in text for each in report.lines)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small database of one's own."""
    return make_season(tmp_path_factory.mktemp("own") / "season", Season(nights=6, n_sources=40))


@pytest.mark.slow
@pytest.mark.bench
def test_nothing_is_left(own: Path, tmp_path: Path) -> None:
    """A database of one's own is only read: nothing in it or beside it changes."""

    def state() -> dict[str, tuple[int, int]]:
        files = (path for path in own.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    settings = Settings(
        db=own,
        only=("light-curves", "scan", "writer", "jobs"),
        seconds=0.1,
        callers=4,
        n_listed=200,
        cache=tmp_path / "cache",
        peers=False,
    )
    lines = run(settings).lines
    assert {each.work for each in lines} == {"light curves", "scan", "200 jobs"}
    assert state() == before
    assert not (tmp_path / "cache").exists()


@pytest.mark.bench
def test_command(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the table, writes the same figures as JSON, and ends with 0."""
    file = tmp_path / "figures.json"
    words = ["bench", "--db", own, "--only", "jobs", "--seconds", 0.1, "--json", file]
    assert main([str(word) for word in words]) == 0
    ways = [each["way"] for each in json.loads(file.read_text(encoding="utf-8"))["lines"]]
    assert ways == ["older", "ours"]
    said = capsys.readouterr()
    assert "1,000 jobs" in said.out
    assert "1,000 jobs" in said.err


@pytest.mark.parametrize("words", [["--rows", "many"], ["--seconds", "0"], ["--only", "nonsense"]])
def test_command_with_words_that_mean_nothing(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be measured ends with exit code 2 and one line that says why."""
    assert main(["bench", *words]) == 2
    assert words[1] in capsys.readouterr().err


def test_works_that_are_none(tmp_path: Path) -> None:
    """A work that does not exist, or cannot be done on one's own database, is said so."""
    with pytest.raises(InvalidInput, match="no work nonsense"):
        run(Settings(only=("nonsense",), cache=tmp_path))
    with pytest.raises(InvalidInput, match="leave --db out"):
        run(Settings(db=tmp_path, only=("writer",), cache=tmp_path))


def test_command_names_every_work() -> None:
    """The help of ``--only`` lists the works, in their order."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert f"only these: {', '.join(WORKS)} " in " ".join(parser.format_help().split())


@given(st.lists(st.floats(1e-6, 1e3), min_size=1))
def test_percentiles_are_latencies(took_s: list[float]) -> None:
    """So many of 100 latencies do not exceed a percentile, which is one of them."""
    for name, value in percentiles_ms(took_s).items():
        share = int(name[1:3]) / 100
        assert any(value == took * 1e3 for took in took_s)
        assert sum(took * 1e3 <= value for took in took_s) >= share * len(took_s)
        assert sum(took * 1e3 < value for took in took_s) < share * len(took_s)


def test_ratio_and_growth() -> None:
    """Ratios are to the older design of the same size, growth to the smallest size."""
    small = [
        Line(work="scan", way="older", n_rows=10, seconds=4.0, peak_mb=200.0),
        Line(work="scan", way="ours", n_rows=10, seconds=1.0, peak_mb=50.0),
    ]
    large = [Line(work="scan", way="ours", n_rows=100, seconds=3.0)]
    lines = with_growth([*large, *with_ratios(small, "older", memory=True)])
    assert [each.ratio for each in lines] == [None, 1.0, 4.0]
    assert [each.memory_ratio for each in lines] == [None, 1.0, 0.25]
    assert [each.growth for each in lines] == [3.0, None, None]
    assert "scan" in table(lines).splitlines()[2]
