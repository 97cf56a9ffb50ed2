"""Let one more night happen in a copy of a season, as fast as one likes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from contimg_lab.demo.happenings import Happening, happenings_of
from contimg_lab.demo.logs import write_run_logs
from contimg_lab.demo.photometry import measure_night
from contimg_lab.demo.plan import plan_night
from contimg_lab.demo.processing import process_night
from contimg_lab.demo.season import Season
from contimg_lab.demo.sources import make_sky
from contimg_lab.demo.tables import files_of
from contimg_lab.demo.truth import read_truth
from contimg_lab.errors import InvalidInput

__all__ = ["copy_season", "main", "play", "playing"]

_MARK = "copy.json"
_END_S = 10.0


def copy_season(folder: Path | str, target: Path | str) -> Path:
    """Copy a season into a new folder, to be played into.

    Raises
    ------
    NotFound
        The folder holds no simulated season.
    InvalidInput
        There is something at the target.
    """
    season = read_truth(folder).season
    new = Path(target).absolute()
    if new.exists():
        raise InvalidInput(f"{new} is there already; name a folder that is not")
    shutil.copytree(folder, new)
    (new / _MARK).write_text(json.dumps({"nights": season.nights}) + "\n", encoding="utf-8")
    return new


def play(
    folder: Path | str,
    *,
    speed: float = 60.0,
    stop: threading.Event | None = None,
    max_rate: float | None = None,
) -> int:
    """Let the night after the last one happen, commit by commit; returns their number.

    Measurement Sets come, their jobs wait, run, fail and are tried again, cal tables, images
    and photometry follow, as in the season's own nights and as fast as given.

    Parameters
    ----------
    folder
        What `copy_season` made.
    speed
        How many times faster than real; a night takes about five hours.
    stop
        Set it to end after the commit under way.
    max_rate
        Most commits a second; None: as they fall.

    Raises
    ------
    InvalidInput
        The folder is no copy made for this, or the speed is not positive.

    Examples
    --------
    >>> import tempfile
    >>> from contimg_lab.demo import copy_season, ensure_season, play
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     play(copy_season(ensure_season(), folder + "/season"), speed=1e9) > 300
    True
    """
    place = Path(folder)
    if not (place / _MARK).is_file():
        raise InvalidInput(
            f"{place} is no copy to be played into; make one with contimg_lab.demo.copy_season"
        )
    if not speed > 0.0:
        raise InvalidInput(f"speed {speed!r} is not positive")
    season = read_truth(place).season
    stop = stop or threading.Event()
    with _Files(place, season) as files:
        night = season.nights
        while files.has(plan_night(season, night).science[0].path):
            night += 1
        plan = plan_night(season, night)
        done = process_night(plan, night)
        sky = make_sky(season, plan.passages_mjd, frozenset({plan.special.blind}))
        block = measure_night(done, sky, night)
        n = 0
        began_s, first_unix, last_s = time.monotonic(), None, 0.0
        for happening in happenings_of(done, block):
            first_unix = happening.at_unix if first_unix is None else first_unix
            due_s = began_s + (happening.at_unix - first_unix) / speed
            if max_rate is not None:
                due_s = max(due_s, last_s + 1.0 / max_rate)
            if stop.wait(max(0.0, due_s - time.monotonic())):
                break
            last_s = time.monotonic()
            files.commit(happening)
            if happening.log_of is not None:
                alone = replace(plan, science=[happening.log_of], reference=[])
                write_run_logs(place / "logs", replace(done, plan=alone))
            n += 1
    return n


@contextlib.contextmanager
def playing(folder: Path, *, speed: float) -> Iterator[subprocess.Popen[str]]:
    """Run `play` in a child process, which ends with this block, and with this process."""
    code = "from contimg_lab.demo.playing import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(speed)], stdin=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main() -> None:
    """Play what the command line says until the night or the standard input ends."""
    stop = threading.Event()

    def listen() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        play(sys.argv[1], speed=float(sys.argv[2]), stop=stop)


class _Files:
    """The files of a season, open for writing."""

    def __init__(self, folder: Path, season: Season) -> None:
        self._tables: dict[str, tuple[sqlite3.Connection, set[str]]] = {}
        self._connections = []
        for name in files_of(season.layout, untidy=season.untidy):
            connection = sqlite3.connect(folder / name, isolation_level=None, timeout=30.0)
            self._connections.append(connection)
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
            for (table,) in connection.execute(names).fetchall():
                columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
                self._tables[table] = (connection, {column[1] for column in columns})

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *error: object) -> None:
        for connection in self._connections:
            connection.close()

    def has(self, ms_path: str) -> bool:
        connection, _ = self._tables["ms_index"]
        found = connection.execute("SELECT 1 FROM ms_index WHERE path = ?", (ms_path,))
        return found.fetchone() is not None

    def _job_of(self, ms_path: str) -> int:
        if "jobs" not in self._tables:
            return 0
        connection, _ = self._tables["jobs"]
        found = connection.execute("SELECT max(id) FROM jobs WHERE ms_path = ?", (ms_path,))
        return int(found.fetchone()[0] or 0)

    def commit(self, happening: Happening) -> None:
        """Write what happened; tables and columns that this layout lacks are left out."""
        for connection in self._connections:
            connection.execute("BEGIN IMMEDIATE")
        for table, row in happening.added:
            if table in self._tables:
                connection, columns = self._tables[table]
                held = {name: value for name, value in row.items() if name in columns}
                if "job_id" in held:
                    held["job_id"] = self._job_of(row["ms_path"])
                marks = ", ".join("?" * len(held))
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(held)}) VALUES ({marks})",
                    tuple(held.values()),
                )
        for table, key, row in happening.changed:
            if table in self._tables:
                connection, columns = self._tables[table]
                held = {name: value for name, value in row.items() if name in columns}
                where = " AND ".join(f"{name} = ?" for name in key)
                connection.execute(
                    f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in held)} WHERE {where}",
                    (*held.values(), *key.values()),
                )
        for connection in self._connections:
            connection.execute("COMMIT")
