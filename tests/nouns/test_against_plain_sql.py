"""Runs, coverage and epochs of every database against plain SQL written for this test.

Nothing of the package is used on the other side: rows are read with sqlite3 and judged by the
rules of the field, written out once more, slowly.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

CAUSE_OF_CODE = {
    3: "memory", -9: "memory", 4: "timeout", 2: "io", 5: "validation", 7: "calibration",
    8: "conversion", 9: "database", 6: "resource", 10: "subprocess", 1: "general",
}  # fmt: skip
WORDS = [
    ("memory", r"MemoryError|\bkilled\b|out of memory"),
    ("timeout", r"time-?out|timed out"),
    ("io", r"FileNotFound|Permission|IsADirectory|Errno (28|122)\b"),
    ("validation", r"ValueError|TypeError|missing parameter"),
    ("calibration", r"calibration|caltable|calibrator not found|all flagged|low SNR"),
    ("conversion", r"uvh5|conversion|measurement set|incomplete subband group|\bUVW\b"),
    ("database", r"database is locked|no such column"),
    ("resource", r"resource|\blimit\b"),
    ("subprocess", r"signal"),
]


def rows(folder: Path, table: str, columns: str = "*") -> list[dict[str, object]]:
    """All rows of a table in whichever file of the folder has it; none where none has."""
    for name in ("pipeline", "products", "cal_registry"):
        path = folder / f"{name}.sqlite3"
        if not path.exists():
            continue
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        db.row_factory = sqlite3.Row
        try:
            return [dict(r) for r in db.execute(f"SELECT {columns} FROM {table}")]
        except sqlite3.OperationalError:
            continue
        finally:
            db.close()
    return []


def mjd_of(value: object) -> float | None:
    if isinstance(value, (int, float)) and 5e4 <= value <= 1e5:
        return float(value)
    if isinstance(value, (int, float)) and 1e9 <= value < 1e11:
        return value / 86400 + 40587
    return None


def name_time(path: object) -> float | None:
    found = re.search(r"(\d{4}-\d\d-\d\d)T(\d\d)[:-](\d\d)[:-](\d\d)", str(path).rsplit("/", 1)[-1])
    if not found:
        return None
    when = datetime.fromisoformat(f"{found[1]}T{found[2]}:{found[3]}:{found[4]}").replace(
        tzinfo=UTC
    )
    return when.timestamp() / 86400 + 40587


def status_of(ms: dict, jobs: list[dict]) -> tuple[str, dict | None]:
    latest: dict[str, dict] = {}
    for job in sorted(jobs, key=lambda j: j["id"]):
        latest[job["type"]] = job
    word = (ms["status"] or "").lower()
    if latest:
        said = {("completed" if j["status"] == "done" else j["status"]): j for j in latest.values()}
        for status in ("running", "failed", "pending"):
            mine = [j for j in latest.values() if j["status"] == status]
            if mine:
                return status, max(mine, key=lambda j: j["id"])
        assert set(said) == {"completed"}
        return (
            (word, None) if word == "failed" or word.startswith("skipped_") else ("completed", None)
        )
    if word == "":
        late = {"imaging", "imaged", "mosaicked", "cataloged"}
        return ("completed" if ms["stage"] in late else "pending"), None
    known = {"done": "completed", "converted": "pending", "processing": "running"}
    return known.get(word, word), None


def strip(line: str, path: str) -> str:
    """Message of a log line: no time, level, logger, tags or paths."""
    line = re.sub(r"^\S+ ?\S* (ERROR|CRITICAL) +(\[[\w.]+\] |\w+: )?", "", line)
    line = re.sub(r"\[(group_id|stage)=[^]]*\]", "", line)
    return re.sub(r"/\S+", "", line.replace(path, ""))


def errors_of(ms: dict, job: dict | None, folder: Path, run_log: str) -> list[str]:
    """Every error message and final exception line that names the MS."""
    path, group = str(ms["path"]), str(ms.get("group_id") or "\0")
    texts = [r["error"] for r in rows(folder, "batch_job_items")
             if r["ms_path"] == path and r["status"] == "failed" and r["error"]
             and (job is None or r["job_id"] in (None, job["id"]))]  # fmt: skip
    texts += [r["error_message"] for r in rows(folder, "calibration_applied")
              if r["ms_path"] == path and r["success"] == 0 and r["error_message"]
              and (job is None or r["applied_at"] >= job["created_at"])]  # fmt: skip
    out = [strip(line, path) for text in texts for line in text.splitlines()]
    logs = [(True, job["logs"])] if job and job.get("logs") else []
    for file in sorted((folder / "logs").glob("*.log*")):
        if "job-" not in file.name or file.name == run_log:
            logs.append((file.name == run_log, file.read_text(errors="replace")))
    for own, text in logs:
        keep = False
        for line in text.splitlines():
            if line.startswith("{"):
                entry = json.loads(line)
                if entry["level"] in ("ERROR", "CRITICAL") and entry.get("ms_path") == path:
                    out.append(strip(entry["message"], path))
                    out += str(entry.get("exception", "")).splitlines()[-1:]
            elif re.match(r"\d{4}-\d\d-\d\d[ T]", line):
                named = re.search(re.escape(path) + r"(?![\w./-]*\w)", line)
                grouped = f"[group_id={group}]" in line and not re.search(r"/\S+\.ms", line)
                keep = bool(own or named or grouped) and " ERROR " in line
                out += [strip(line, path)] * keep
            elif keep and line and not line.startswith(("Traceback", " ")):
                out.append(strip(line, path))
    return [line for line in out if line.strip()]


def cause_of(lines: list[str]) -> str:
    codes = [
        int(c)
        for line in lines
        for c in re.findall(r"(?:\(exit |with (?:exit )?code )(-?\d+)", line)
    ]
    if codes:
        code = codes[-1]
        return CAUSE_OF_CODE.get(code, "subprocess" if code < 0 else "general")
    for cause, pattern in WORDS:
        if any(re.search(pattern, line, re.IGNORECASE) for line in lines):
            return cause
    return "general" if lines else "unknown"


async def test_runs_by_status_and_cause(lab, database_folder, record_property):
    """Each run has the status of its latest attempts, and each failed one its cause."""
    jobs = defaultdict(list)
    for job in rows(database_folder, "jobs"):
        jobs[job["ms_path"]].append(job)
    table = (await lab.jobs.table()).set_index("ms_path")
    wanted_status, wanted_cause = {}, {}
    for ms in rows(database_folder, "ms_index"):
        status, job = status_of(ms, jobs[ms["path"]])
        wanted_status[ms["path"]] = status
        if status == "failed":
            log = f"{table.loc[ms['path'], 'run_id']}.log"
            wanted_cause[ms["path"]] = cause_of(errors_of(ms, job, database_folder, log))
    assert table["status"].to_dict() == wanted_status
    assert table["cause"].dropna().to_dict() == wanted_cause
    print(f"\n{database_folder.name}: {dict(Counter(wanted_status.values()))}, "
          f"causes {dict(Counter(wanted_cause.values()))}")  # fmt: skip


async def test_a_run_id_is_one_ms_and_back(lab, database_folder):
    """Every MS has a run id of its own, and the id leads back to exactly that MS."""
    paths = [str(r["path"]) for r in rows(database_folder, "ms_index", "path")]
    ids = [await lab.jobs.run_id_of(path) for path in paths]
    assert len(set(ids)) == len(paths)
    for path, run_id in list(zip(paths, ids, strict=True))[::25]:
        assert (await lab.jobs.get_job(run_id)).ms_path == path
        assert re.fullmatch(r"job-[A-Za-z0-9._-]+", run_id)


async def test_coverage_by_state(lab, database_folder):
    """Each MS and table type is inside, nearest within 12 h, none or unknown, as rows say."""
    tables = rows(database_folder, "caltables")
    got = {
        (r.ms_path, r.table_type): (r.state, r.distance_hours, r.caltable_path, r.retired_path)
        for r in (await lab.caltables.coverage()).itertuples()
    }
    counts: Counter[tuple[str, str]] = Counter()
    for ms in rows(database_folder, "ms_index"):
        start = name_time(ms["path"])
        group = name_time(f"/{ms.get('group_id')}")
        mid = mjd_of(ms["mid_mjd"])
        if mid is None and start is not None:
            mid = start + 155 / 86400
        if mid is None and group is not None:
            mid = group + 155 / 86400
        for kind in {t["table_type"] for t in tables}:
            state, hours, path, retired = got[ms["path"], kind]
            best_in, best_near, gone = [], [], []
            for t in tables:
                if t["table_type"] != kind or t["valid_start_mjd"] is None or mid is None:
                    continue
                first, last = t["valid_start_mjd"], t["valid_end_mjd"]
                away = abs(mid - (first if last is None else (first + last) / 2)) * 24
                holds = first <= mid <= (math.inf if last is None else last)
                entry = (away, -t["id"], t["path"])
                if t["status"] == "active":
                    (best_in if holds else best_near).append(entry)
                if t["status"] == "retired" and holds:
                    gone.append(entry)
            near = min(best_near) if best_near and min(best_near)[0] <= 12 else None
            wanted = (
                ("inside", min(best_in))
                if best_in
                else ("nearest", near)
                if near
                else ("unknown" if mid is None else "none", None)
            )
            assert state == wanted[0]
            if wanted[1]:
                assert (path, hours) == (wanted[1][2], pytest.approx(wanted[1][0], abs=1e-6))
            assert (retired if isinstance(retired, str) else None) == (
                min(gone)[2] if gone else None
            )
            counts[kind, state] += 1
    assert len(got) == sum(counts.values())
    print(f"\n{database_folder.name}: {dict(sorted(counts.items()))}")


async def test_epochs_left_out_by_reason(lab, database_folder):
    """Each photometry row of a source counts or has the one reason that its values give."""
    measured = [r for r in rows(database_folder, "photometry") if r["source_id"] is not None]
    newest: dict[tuple[object, object], int] = {}
    for r in measured:
        key = (r["source_id"], r["image_path"])
        newest[key] = max(newest.get(key, -1), r["id"])
    wanted: Counter[tuple[str, str]] = Counter()
    fluxes = defaultdict(list)
    for r in measured:
        reasons = []
        for flux, error in (("flux_jy", "flux_err_jy"), ("peak_jyb", "peak_err_jyb")):
            f, e = r.get(flux), r.get(error)
            why = "used"
            for value in (f, e):
                if value is None:
                    why = "missing"
                elif isinstance(value, str):
                    why = "not a number"
                elif not math.isfinite(value):
                    why = "not finite"
                elif value is e and e <= 0 and not (value is f and f is not e):
                    why = "error not positive"
                if why != "used":
                    break
            reasons.append((why, f, e))
        first, second = reasons
        if newest[r["source_id"], r["image_path"]] != r["id"]:
            why = "superseded"
        elif first[0] == "used" or second[0] == "used":
            why = "used"
            fluxes[r["source_id"]].append((first if first[0] == "used" else second)[1:])
        else:
            why = first[0] if r.get("flux_jy") is not None else second[0]
        wanted[r["source_id"], why] += 1
    table = (await lab.sources.table()).set_index("source_id")
    assert set(table.index) == {r["source_id"] for r in measured}
    reasons = ("missing", "not a number", "not finite", "error not positive", "superseded")
    for source, row in table.iterrows():
        assert row["n_used"] == wanted[source, "used"]
        for why in reasons:
            assert row["excluded_" + why.replace(" ", "_")] == wanted[source, why], (source, why)
        assert row["n_excluded"] == sum(wanted[source, why] for why in reasons)
    worst = max(table.index, key=lambda s: table.loc[s, "n_excluded"])
    curve = await lab.sources.light_curve(worst)
    assert curve.excluded.counts() == {w: wanted[worst, w] for w in reasons if wanted[worst, w]}
    assert sorted(zip(curve.flux_jy, curve.flux_err_jy, strict=True)) == sorted(fluxes[worst])
    total: Counter[str] = Counter()
    for (_, why), n in wanted.items():
        total[why] += n
    print(f"\n{database_folder.name}: {dict(total)}")
