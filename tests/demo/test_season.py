"""Making a season: arguments, determinism, atomicity, scaling, cache."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from contimg_lab.demo import Season, ensure_season, make_season, read_truth, season_folder
from contimg_lab.errors import InvalidInput, NotFound

_SMALL = {"nights": 6, "n_sources": 40}


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _digest(folder: Path) -> dict[str, str]:
    """One hash a table, of its rows in order; one a log file."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.sqlite3")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE sql != ''")]
            for name in names:
                kind = db.execute(
                    "SELECT type FROM sqlite_master WHERE name = ?", (name,)
                ).fetchone()
                if kind == ("table",):
                    rows = repr(db.execute(f"SELECT * FROM {name}").fetchall())
                    found[f"{path.name}/{name}"] = hashlib.sha256(rows.encode()).hexdigest()
    for path in sorted((folder / "logs").iterdir()):
        found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    found["truth"] = hashlib.sha256((folder / "truth.json").read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize(
    "wrong",
    [
        {"layout": "joined"}, {"layout": "split", "untidy": True}, {"nights": 0},
        {"n_sources": 3}, {"seed": -1}, {"photometry_rows": 0},
        {"photometry_rows": 10_000_001}, {"first_night": "2025-02-30"},
        {"first_night": "1990-01-01"}, {"dec_deg": 89.0}, {"dec_deg": float("nan")},
        {"untidy": True, "photometry_rows": 10},
    ],
)  # fmt: skip
def test_arguments_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    """An argument outside its range raises InvalidInput that names it."""
    with pytest.raises(InvalidInput) as told:
        Season(**wrong)  # type: ignore[arg-type]
    assert any(name in str(told.value) for name in wrong)


def test_default_seasons_are_fast(tmp_path: Path) -> None:
    """The default season, tidy and untidy, is made in less than 5 s."""
    for season in (Season(), Season(untidy=True)):
        start = time.process_time()
        make_season(tmp_path / f"season-{season.untidy}", season)
        assert time.process_time() - start < 5.0


@pytest.mark.parametrize("kind", ["unified", "untidy", "split", "split-old"])
def test_same_arguments_same_rows_in_another_process(tmp_path: Path, kind: str) -> None:
    """The rows, logs and truth depend on the arguments alone, not on the hash seed."""
    layout = "unified" if kind == "untidy" else kind
    arguments = f"layout={layout!r}, untidy={kind == 'untidy'}, nights=6, n_sources=40"
    code = f"from contimg_lab.demo import *; make_season('other', Season({arguments}))"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tmp_path,
        env={**_environment(), "PYTHONHASHSEED": "12345"},
    )
    season = Season(layout=layout, untidy=kind == "untidy", **_SMALL)
    assert _digest(make_season(tmp_path / "mine", season)) == _digest(tmp_path / "other")


def test_another_seed_is_another_season(tmp_path: Path) -> None:
    """A different seed gives different noise; more nights leave the first ones alone."""

    def noise(**arguments: int) -> set[tuple[object, ...]]:
        season = Season(**{**_SMALL, **arguments})  # type: ignore[arg-type]
        folder = make_season(tmp_path / repr(arguments), season)
        with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db:
            return set(db.execute("SELECT path, noise_jy, beam_pa_deg FROM images"))

    short, longer = noise(seed=1), noise(seed=1, nights=7)
    assert not short & noise(seed=2)
    assert len(short & longer) > 0.6 * len(short)  # faults and holes fall on other nights


def test_a_failing_progress_leaves_nothing(tmp_path: Path) -> None:
    """What progress raises comes out, and neither the folder nor a part of it remains."""
    calls: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_season(tmp_path / "season", Season(**_SMALL), progress=stop)
    assert calls[0] == (0, 6)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_up_to_all(tmp_path: Path) -> None:
    """Progress starts at 0, never goes back and ends with everything done."""
    calls: list[tuple[int, int]] = []
    make_season(tmp_path / "season", Season(**_SMALL), progress=lambda *args: calls.append(args))
    assert calls[0][0] == 0
    assert calls == sorted(calls)
    assert calls[-1] == (6, 6)


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    """A folder that holds something else is refused and left as it is; an empty one is used."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        make_season(tmp_path, Season(**_SMALL))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    assert (make_season(tmp_path / "empty", Season(**_SMALL)) / "pipeline.sqlite3").is_file()


def test_the_same_season_is_made_once(tmp_path: Path) -> None:
    """A cached season is found again; other arguments live in another folder."""
    season = Season(**_SMALL)
    folder = ensure_season(season, tmp_path)
    assert folder == season_folder(season, tmp_path)
    made = (folder / "pipeline.sqlite3").stat().st_mtime_ns
    assert ensure_season(season, str(tmp_path)) == folder
    assert (folder / "pipeline.sqlite3").stat().st_mtime_ns == made
    assert season_folder(Season(seed=7, **_SMALL), tmp_path) != folder
    assert "contimg_lab" in str(season_folder(season))


def test_processes_at_once(tmp_path: Path) -> None:
    """Three processes that make one season at the same time all get the same whole one."""
    code = "from contimg_lab.demo import *; make_season('season', Season(nights=6, n_sources=40))"
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=_environment())
        for _ in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["season"]
    alone = make_season(tmp_path / "alone", Season(**_SMALL))
    assert _digest(tmp_path / "season") == _digest(alone)


@pytest.mark.parametrize("layout", ["unified", "split", "split-old"])
def test_photometry_scales_to_what_was_asked(tmp_path: Path, layout: str) -> None:
    """A benchmark season has exactly the rows asked for, every image of them and its sources."""
    season = Season(layout=layout, photometry_rows=6_000, **_SMALL)
    calls: list[tuple[int, int]] = []
    folder = make_season(tmp_path / "big", season, progress=lambda *args: calls.append(args))
    name = "pipeline.sqlite3" if layout == "unified" else "products.sqlite3"
    with closing(sqlite3.connect(folder / name)) as db:
        rows, sources = db.execute(
            "SELECT count(*), count(DISTINCT source_id) FROM photometry"
        ).fetchone()
        orphans = db.execute(
            "SELECT count(*) FROM photometry WHERE image_path NOT IN (SELECT path FROM images)"
        ).fetchone()[0]
        homeless = db.execute(
            "SELECT count(*) FROM images WHERE ms_path NOT IN (SELECT path FROM ms_index)"
        ).fetchone()[0]
    assert (rows, sources, orphans, homeless) == (6_000, 40, 0, 0)
    assert calls[-1] == (6_000, 6_000)


def test_fewer_rows_than_a_season_gives(tmp_path: Path) -> None:
    """A benchmark may ask for less than one night gives."""
    folder = make_season(tmp_path / "small", Season(photometry_rows=5, **_SMALL))
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM photometry").fetchone() == (5,)


def test_truth_comes_back_as_it_was(tmp_path: Path) -> None:
    """Truth read back names the season, and a folder without one raises NotFound."""
    season = Season(dec_deg=54.5, first_night="2026-01-05", **_SMALL)
    truth = read_truth(make_season(tmp_path / "north", season))
    assert truth.season == season
    assert len(truth.variables) + len(truth.constants) == 40
    name = truth.variables[0].source_id
    assert truth.source(name) == truth.variables[0]
    with pytest.raises(NotFound):
        truth.source("NVSS J999999+999999")
    with pytest.raises(NotFound):
        read_truth(tmp_path / "nowhere")
