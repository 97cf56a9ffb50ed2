"""Log files of runs: found, read from the end, and searched by run and time."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contimg_lab.analysis.causes import cause_of_texts
from contimg_lab.analysis.runs import run_ids
from contimg_lab.errors import ForbiddenPath, InvalidInput, NotFound
from contimg_lab.services._logs import (
    MAX_LINE_BYTES,
    MAX_TAIL_BYTES,
    LogRoots,
    RunKey,
    default_log_folders,
    error_evidence,
    find_run_log,
    shared_lines,
    shared_log_files,
    tail_lines,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LA = ZoneInfo("America/Los_Angeles")
GROUP = "2025-10-22T06:42:22"
PATH = f"/stage/ms/{GROUP}.ms"
TWIN = f"/stage/ms/{GROUP}_selfcal.ms"
NOON = datetime(2025, 10, 22, 19, 0, tzinfo=UTC).timestamp()  # 12:00 in Los Angeles


def local(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, LA).strftime("%Y-%m-%d %H:%M:%S,000")


def line(unix_s: float, message: str, level: str = "INFO", group: str | None = None) -> str:
    tag = f" [group_id={group}]" if group else ""
    return f"{local(unix_s)} {level} [dsa110_contimg.imaging.worker] {message}{tag}"


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return path


@pytest.fixture
def roots(tmp_path: Path) -> LogRoots:
    (tmp_path / "logs").mkdir()
    return LogRoots.of([tmp_path / "logs"])


def texts(
    roots: LogRoots,
    path: str = PATH,
    group: str | None = GROUP,
    window: tuple[float, float] | None = (NOON - 600, NOON + 600),
    limit: int = 100,
) -> list[str]:
    needles = [path, *([group] if group else [])]
    found = shared_lines(roots, needles=needles, window=window, zone=LA, limit=limit)
    return [one.text for one in found]


def evidence(roots: LogRoots, *keys: RunKey) -> dict[str, list[str]]:
    found = error_evidence(roots, keys, LA)
    return {path: [text for _, text in rows] for path, rows in found.items()}


def test_default_folders_are_beside_the_databases() -> None:
    """Without a setting, logs are in ``logs/`` beside each database and in the state folder."""
    files = [Path("/d/products.sqlite3"), Path("/d/cal_registry.sqlite3")]
    assert default_log_folders(files, Path("/s")) == (Path("/d/logs"), Path("/s/logs"))
    assert default_log_folders(files, None) == (Path("/d/logs"),)


def test_run_log_is_found_by_its_exact_name(roots: LogRoots) -> None:
    """Only ``{run_id}.log`` directly in a root is a run's own log."""
    folder = roots.folders[0]
    own = write(folder / "job-2025-10-22-064222.log", "x")
    (folder / "deep").mkdir()
    write(folder / "deep" / "job-2025-10-22-000000.log", "x")
    (folder / "job-folder.log").mkdir()
    os.mkfifo(folder / "job-pipe.log")
    assert find_run_log("job-2025-10-22-064222", roots) == own.resolve()
    for absent in ("job-2025-10-22", "job-2025-10-22-000000", "job-folder", "job-pipe"):
        assert find_run_log(absent, roots) is None
    assert find_run_log("job-x", LogRoots.of([folder / "nowhere"])) is None


@pytest.mark.parametrize(
    "run_id", ["../job-x", "..", ".", "", "a/b", "/etc/passwd", "a\0b", "job-%2e", "x" * 300]
)
def test_hostile_id_is_refused(roots: LogRoots, run_id: str) -> None:
    """An id that could lead anywhere else is refused before any file is looked at."""
    write(roots.folders[0].parent / "job-x.log", "secret")
    with pytest.raises(InvalidInput):
        find_run_log(run_id, roots)


def test_link_that_leads_out_is_forbidden(roots: LogRoots, tmp_path: Path) -> None:
    """A link out of the roots is refused, within them it is followed, to itself it is nothing."""
    folder = roots.folders[0]
    secret = write(tmp_path / "secret.log", "secret")
    (folder / "job-out.log").symlink_to(secret)
    (folder / "job-gone.log").symlink_to(tmp_path / "nowhere")
    (folder / "up").symlink_to(tmp_path)
    inside = write(folder / "job-real.log", "x")
    (folder / "job-in.log").symlink_to(inside)
    (folder / "job-loop.log").symlink_to(folder / "job-loop.log")
    for run_id in ("job-out", "job-gone"):
        with pytest.raises(ForbiddenPath, match="DSA110_ALLOWED_LOG_ROOTS"):
            find_run_log(run_id, roots)
    assert find_run_log("job-in", roots) == inside.resolve()
    assert find_run_log("job-loop", roots) is None


def test_root_may_be_a_link(tmp_path: Path) -> None:
    """A root that is itself a link is the folder that it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    own = write(tmp_path / "real" / "job-x.log", "x")
    roots = LogRoots.of([tmp_path / "link", tmp_path / "real"])
    assert roots.folders == ((tmp_path / "real").resolve(),)
    assert find_run_log("job-x", roots) == own.resolve()


def test_shared_files_are_the_rotating_ones(roots: LogRoots, tmp_path: Path) -> None:
    """Rotating files are listed oldest first; runs' own files, links out and pipes are not."""
    folder = roots.folders[0]
    names = ("a.log", "a.log.1", "a.log.10", "a.log.2", "b.log")
    others = ("job-x.log", "job-x.log.1", "a.log.gz", "a.txt", "log", "a.log.x")
    for name in (*names, *others):
        write(folder / name, "x")
    (folder / "out.log").symlink_to(write(tmp_path / "out.log", "x"))
    os.mkfifo(folder / "pipe.log")
    (folder / "folder.log").mkdir()
    found = [path.name for path in shared_log_files(roots)]
    assert found == ["a.log.10", "a.log.2", "a.log.1", "a.log", "b.log"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 50])
def test_tail_is_the_last_lines(tmp_path: Path, ending: str, closed: bool, n: int) -> None:
    """The last n lines come whole, whatever ends them, and it is said whether more exist."""
    lines = ["first", "", "thïrd"]
    path = tmp_path / "x.log"
    path.write_bytes((ending.join(lines) + (ending if closed else "")).encode())
    assert tail_lines(path, n) == (lines[-n:] if n else [], n < 3)


def test_tail_of_odd_files(tmp_path: Path) -> None:
    """An empty file has no lines, bad bytes are replaced, other line breaks are text."""
    path = tmp_path / "x.log"
    path.write_bytes(b"")
    assert tail_lines(path, 5) == ([], False)
    path.write_bytes(b"\n")
    assert tail_lines(path, 5) == ([""], False)
    path.write_bytes(b"a\x0bb\xe2\x80\xa8c\n\xff\xfe x\n")
    assert tail_lines(path, 5) == (["a\x0bb\u2028c", "\ufffd\ufffd x"], False)
    with pytest.raises(InvalidInput):
        tail_lines(path, -1)
    with pytest.raises(NotFound):
        tail_lines(tmp_path / "gone.log", 1)


def test_tail_across_blocks(tmp_path: Path) -> None:
    """Lines that lie across the blocks that are read come whole."""
    lines = [f"{i:07d} " + "é" * (i % 37) for i in range(30_000)]
    path = write(tmp_path / "x.log", *lines)
    for n in (1, 999, 12_345, 29_999, 30_000, 30_001):
        assert tail_lines(path, n) == (lines[-n:], n < 30_000)


def test_tail_of_a_huge_file_is_read_from_its_end(tmp_path: Path) -> None:
    """The last lines of a 200 MB file come in milliseconds and little memory."""
    path = tmp_path / "huge.log"
    with path.open("wb") as file:
        file.truncate(200 << 20)
        file.seek(0, 2)
        file.write(b"\nlast but one\nlast\n")
    try:
        tracemalloc.start()
        start = time.perf_counter()
        assert tail_lines(path, 2) == (["last but one", "last"], True)
        took = time.perf_counter() - start
        assert took < 0.1
        lines, more = tail_lines(path, 10**9)
        peak = tracemalloc.get_traced_memory()[1]
        assert more
        assert lines[-2:] == ["last but one", "last"]
        assert lines[0].startswith("[… cut]")
        assert peak < 4 * MAX_TAIL_BYTES
    finally:
        tracemalloc.stop()
        path.unlink()


def test_tail_cuts_very_long_lines(tmp_path: Path) -> None:
    """A line longer than is ever shown is cut, and says so."""
    path = write(tmp_path / "x.log", "a", "b" * (2 * MAX_LINE_BYTES), "c")
    lines, more = tail_lines(path, 3)
    assert (lines[0], lines[2], more) == ("a", "c", False)
    assert lines[1].endswith(f"[cut … {MAX_LINE_BYTES} bytes]")
    assert len(lines[1]) < MAX_LINE_BYTES + 100


def test_shared_lines_come_in_order_of_time(roots: LogRoots) -> None:
    """A run's lines of all files come in order of time, each with its file and traceback."""
    folder = roots.folders[0]
    conversion = json.dumps(
        {
            "timestamp": "2025-10-22T18:58:00Z",
            "level": "INFO",
            "logger": "c",
            "message": "16 of 16",
            "group_id": GROUP,
        }
    )
    write(folder / "conversion.log", conversion)
    before, between, after = (NOON - 9000, NOON + 5, NOON + 9000)
    failed = line(NOON + 10, f"cannot open {PATH}/table.dat", "ERROR", GROUP)
    below = ["Traceback (most recent call last):", '  File "x.py"', "FileNotFoundError: x"]
    started = line(NOON, f"imaging {PATH}")
    write(
        folder / "imaging.log",
        line(before, f"imaging {PATH}"),
        started,
        line(between, "imaging /stage/ms/another.ms"),
        failed,
        *below,
        line(after, f"imaging {PATH}"),
        "Traceback of another day",
    )
    ended = line(NOON + 7, "cycle 1", "DEBUG", GROUP)
    write(folder / "pipeline.log", ended)
    found = shared_lines(
        roots, needles=[PATH, GROUP], window=(NOON - 600, NOON + 600), zone=LA, limit=100
    )
    assert [one.text for one in found] == [conversion, started, ended, failed, *below]
    assert [Path(one.file).name for one in found][:3] == [
        "conversion.log",
        "imaging.log",
        "pipeline.log",
    ]
    assert found[1].at_unix == NOON
    assert texts(roots, limit=2) == below[1:]
    assert texts(roots, limit=0) == []
    assert len(texts(roots, window=None)) == 10
    with pytest.raises(InvalidInput):
        texts(roots, limit=-1)


def test_twins_lines_are_the_twins(roots: LogRoots) -> None:
    """A line that names the twin is the twin's, though group and beginning are the same."""
    own = line(NOON, f"imaging {PATH}", group=GROUP)
    twins = line(NOON + 1, f"imaging {TWIN}", group=GROUP)
    old = line(NOON + 2, f"removed {PATH}_old", group=GROUP)
    both = line(NOON + 3, "major cycle 1", group=GROUP)
    write(roots.folders[0] / "a.log", own, twins, old, both)
    assert texts(roots) == [own, both]
    assert texts(roots, TWIN) == [twins, both]
    assert texts(roots, group=None) == [own]


def test_odd_path_is_found_in_text_and_json(roots: LogRoots) -> None:
    """A path with spaces, quotes and accents is found in a text and in a JSON line."""
    odd = '/stage/ms/odd names/it\'s "a" %20 é test.ms'
    plain = line(NOON, f"imaging {odd}: 2400")
    when = {"timestamp": "2025-10-22T19:00:01Z", "level": "INFO", "message": "m", "ms_path": odd}
    escaped, direct = json.dumps(when), json.dumps(when, ensure_ascii=False)
    write(roots.folders[0] / "a.log", plain, escaped, direct, line(NOON, f"imaging {odd}_old"))
    assert texts(roots, odd, None) == [plain, escaped, direct]


def test_repeated_hour_may_be_either(roots: LogRoots) -> None:
    """A run in either of the two hours from 1 to 2 on 2025-11-02 finds its lines, in order."""
    first = datetime(2025, 11, 2, 8, 55, tzinfo=UTC).timestamp()  # 01:55 before the change
    second = first + 600  # 01:05 after it
    lines = [line(first, f"start {PATH}"), line(second, f"end {PATH}")]
    assert [text[:19] for text in lines] == ["2025-11-02 01:55:00", "2025-11-02 01:05:00"]
    write(roots.folders[0] / "a.log", *lines)
    assert texts(roots, window=(first - 60, second + 60)) == lines
    assert texts(roots, window=(first + 3600, first + 3660))[-1] == lines[0]
    assert texts(roots, window=(second + 7200, second + 7260)) == []
    key = RunKey(PATH, "job-x", GROUP, (first - 60, second + 60))
    write(roots.folders[0] / "a.log", line(second, f"killed {PATH}", "ERROR"))
    assert len(evidence(roots, key)[PATH]) == 1


def big_log(path: Path, hours: int, per_hour: int, hit: dict[int, str]) -> int:
    """Write a log of many hours that holds the given lines; return its size."""
    start = datetime(2025, 10, 30, 0, 0, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        for i in range(hours * per_hour):
            when = (start + timedelta(hours=i / per_hour)).timestamp()
            message = hit.get(i)
            if message is None:
                file.write(line(when, f"noise {i} " + "x" * 100) + "\n")
            else:
                file.write(line(when, message, "ERROR", GROUP) + "\n")
                file.write("Traceback (most recent call last):\nMemoryError: x\n")
    return path.stat().st_size


@pytest.mark.parametrize("hour", [0, 3, 30, 79, 80, 81, 82, 83, 119])
def test_large_file_is_read_only_around_the_window(roots: LogRoots, hour: int) -> None:
    """In a large file a run's lines are found at any hour, those of the clock change included."""
    per_hour = 400
    index = hour * per_hour + 200
    path = roots.folders[0] / "big.log"
    size = big_log(path, 120, per_hour, {index: f"killed {PATH}", 5 * per_hour: f"x {TWIN}"})
    assert size > 8_000_000
    when = datetime(2025, 10, 30, tzinfo=UTC).timestamp() + index * 3600 / per_hour
    window = (when - 60, when + 60)
    found = texts(roots, window=window)
    assert found[0].endswith(f"killed {PATH} [group_id={GROUP}]")
    assert found[1:] == ["Traceback (most recent call last):", "MemoryError: x"]
    other = RunKey(TWIN, "job-y", GROUP, (when + 1e6, when + 1e6 + 60))
    assert evidence(roots, RunKey(PATH, "job-x", GROUP, window), other) == {
        PATH: ["\n".join(found)],
        TWIN: [],
    }


def test_large_file_outside_the_windows_is_not_read(roots: LogRoots) -> None:
    """Of a large file only a small part is read for one run."""
    path = roots.folders[0] / "big.log"
    size = big_log(path, 480, 200, {50_000: f"killed {PATH}"})
    when = datetime(2025, 10, 30, tzinfo=UTC).timestamp() + 50_000 * 18
    key = RunKey(PATH, "job-x", GROUP, (when - 60, when + 60))
    before = _read_bytes()
    assert len(evidence(roots, key)[PATH]) == 1
    assert _read_bytes() - before < size / 5


def _read_bytes() -> int:
    try:
        for row in Path("/proc/self/io").read_text().splitlines():
            if row.startswith("rchar:"):
                return int(row.split()[1])
    except OSError:
        pass
    pytest.skip("NO /proc/self/io: what is read cannot be counted here")


def test_large_file_with_a_wild_clock(roots: LogRoots) -> None:
    """A line dated years ahead does not hide the lines after it."""
    path = roots.folders[0] / "big.log"
    lines = [line(NOON + i, "noise " + "x" * 100) for i in range(20_000)]
    lines[9_000:9_000] = [line(NOON + 1e8, "wild")]
    lines[9_100:9_100] = [line(NOON + 9_100, f"imaging {PATH}")]
    write(path, *lines)
    assert len(texts(roots, window=(NOON + 9_000, NOON + 9_200))) == 1


def test_every_error_comes_with_all_that_follows_it(roots: LogRoots) -> None:
    """Wherever in a file an error stands, it comes once, with its whole traceback."""
    path = roots.folders[0] / "a.log"
    lines: list[str] = []
    expected: list[str] = []
    for i in range(40):
        lines.append(line(NOON + i, f"noise {i} " + "ERROR " * (i * 97 % 3000)))
        lines.append(line(NOON + i, f"ended {i} {PATH} " + "x" * (i * 1009 % 30_000), "ERROR"))
        below = [f"below {i} {k} " + "y" * (i * k * 13 % 900) for k in range(i)]
        expected.append("\n".join([lines[-1], *below]))
        lines += below
    lines.insert(1, "z" * (5 * MAX_LINE_BYTES))
    write(path, *lines)
    assert path.stat().st_size > 1_000_000
    key = RunKey(PATH, "job-x", GROUP, (NOON - 60, NOON + 60))
    assert evidence(roots, key)[PATH] == expected


def test_evidence_is_of_errors_only(roots: LogRoots) -> None:
    """A failed run's evidence is its error lines with what follows, of its own time."""
    folder = roots.folders[0]
    failed = line(NOON, f"cannot read {PATH}", "ERROR", GROUP)
    record = json.dumps(
        {
            "timestamp": "2025-10-22T19:00:05Z",
            "level": "ERROR",
            "message": "incomplete subband group (14/16)",
            "group_id": GROUP,
            "exception": "Traceback (most recent call last):\nRuntimeError: x",
        }
    )
    write(
        folder / "a.log",
        line(NOON - 10, f"killed {PATH}", "WARNING"),
        "Traceback (most recent call last):",
        failed,
        "RuntimeError: x",
        line(NOON + 1, "no ERROR here", "INFO", GROUP),
        line(NOON + 2, f"killed {TWIN}", "ERROR", GROUP),
        line(NOON + 86400, f"killed {PATH}", "ERROR"),
    )
    write(folder / "b.log", record)
    keys = [
        RunKey(path, "job", GROUP, (NOON - 60, NOON + 60)) for path in (PATH, TWIN, "/x/other.ms")
    ]
    keys[2] = RunKey("/x/other.ms", "job", None, (NOON - 60, NOON + 60))
    found = evidence(roots, *keys)
    assert found[PATH] == [f"{failed}\nRuntimeError: x", record]
    assert [text.split("] ")[1].split(" [")[0] for text in found[TWIN][:1]] == [f"killed {TWIN}"]
    assert found["/x/other.ms"] == []
    assert evidence(roots) == {}
    anytime = evidence(roots, RunKey(PATH, "job", GROUP, None))
    assert len(anytime[PATH]) == 3


def test_many_errors_keep_the_last(roots: LogRoots) -> None:
    """Of very many errors the last are kept, whatever file they stand in."""
    for name, shift in (("a.log", 300), ("b.log", 0)):
        write(
            roots.folders[0] / name,
            *(line(NOON + shift + i, f"{name} {i} {PATH}", "ERROR") for i in range(250)),
        )
    found = evidence(roots, RunKey(PATH, "job", GROUP, (NOON, NOON + 900)))[PATH]
    assert len(found) == 50
    assert f"a.log 249 {PATH}" in found[-1]
    assert f"a.log 200 {PATH}" in found[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="ROOT reads every file: this test did not run")
def test_unreadable_file_is_passed_over(roots: LogRoots) -> None:
    """A file that may not be read does not hide what the others hold."""
    own = line(NOON, f"imaging {PATH}")
    write(roots.folders[0] / "a.log", own).chmod(0)
    write(roots.folders[0] / "b.log", own)
    assert texts(roots) == [own]


def test_practice_failures_all_have_their_cause() -> None:
    """In the practice logs every failed run has its cause, within a second for all."""
    folder = DATA / "practice"
    if not folder.exists():
        pytest.skip(f"NO PRACTICE DATA: {folder} is absent, this test did not run")
    link = sqlite3.connect(f"file:{folder}/pipeline.sqlite3?mode=ro&immutable=1", uri=True)
    ids = run_ids([row[0] for row in link.execute("SELECT path FROM ms_index")])
    rows = link.execute(
        "SELECT m.path, m.group_id, m.created_at, max(j.finished_at) FROM ms_index m"
        " JOIN jobs j ON j.ms_path = m.path WHERE m.status = 'failed' GROUP BY m.path"
    ).fetchall()
    own = dict(link.execute("SELECT ms_path, logs FROM jobs WHERE status = 'failed'"))
    items = dict(link.execute("SELECT ms_path, error FROM batch_job_items WHERE error NOTNULL"))
    link.close()
    roots = LogRoots.of([folder / "logs"])
    keys = [RunKey(path, ids[path], group, (first, last)) for path, group, first, last in rows]
    start = time.perf_counter()
    found = error_evidence(roots, keys, LA)
    assert time.perf_counter() - start < 1.0
    causes: dict[str, str] = {}
    for key in keys:
        log = find_run_log(key.run_id, roots)
        said = [own[key.ms_path] or "", items.get(key.ms_path, "")]
        said += ["\n".join(tail_lines(log, 200)[0])] if log else []
        said += [text for _, text in found[key.ms_path]]
        shown = cause_of_texts(said, paths=[key.ms_path])
        worded = cause_of_texts([re.sub(r" \(exit -?\d+\)", "", text) for text in said])
        causes[key.run_id] = shown.cause if shown else "unknown"
        assert worded is None or worded.cause == causes[key.run_id]
    assert causes == {
        "job-2025-10-20-073608": "resource",
        "job-2025-10-20-075136": "subprocess",
        "job-2025-10-21-062442": "calibration",
        "job-2025-10-21-072542": "calibration",
        "job-2025-10-21-073052": "calibration",
        "job-2025-10-22-050020": "memory",
        "job-2025-10-22-052057": "validation",
        "job-2025-10-22-061636": "validation",
        "job-2025-10-23-043856": "calibration",
        "job-2025-10-24-052122": "conversion",
        "job-2025-10-25-054645": "calibration",
        "job-2025-10-25-070417": "database",
        "job-2025-10-25-071945": "database",
        "job-2025-10-25-073512": "calibration",
        "job-2025-10-26-063048": "database",
        "job-2025-10-26-070143": "validation",
        "job-2025-10-27-051253": "memory",
        "job-2025-10-27-080505": "conversion",
        "job-2025-10-29-051731": "calibration",
        "job-2025-10-30-050554": "io",
        "job-2025-10-30-055408": "validation",
        "job-2025-10-31-053754": "timeout",
        "job-2025-11-02-050159": "conversion",
        "job-2025-11-02-073313": "io",
        "job-2025-11-04-050124": "general",
        "job-2025-11-04-063458": "io",
    }


@pytest.mark.parametrize("layout", ["unified", "split", "split-old"])
def test_own_files_of_failed_runs_say_calibration(layout: str) -> None:
    """The own logs of the other databases' failed runs all show a missing cal table."""
    folder = DATA / layout / "logs"
    if not folder.exists():
        pytest.skip(f"NO DATA: {folder} is absent, this test did not run")
    roots = LogRoots.of([folder])
    failed = 0
    for path in sorted(folder.iterdir()):
        log = find_run_log(path.name.removesuffix(".log"), roots)
        assert log is not None
        lines, more = tail_lines(log, 100)
        assert not more
        if any(" ERROR " in one for one in lines):
            shown = cause_of_texts(["\n".join(lines)])
            assert shown is not None
            assert shown.cause == "calibration"
            failed += 1
    assert layout == "split-old" or failed
