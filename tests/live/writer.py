"""A process that writes into a database as the pipeline does, at its own rate, and says what."""

from __future__ import annotations

import json
import sqlite3
import sys
import time


def main(path: str, rounds: int, rate: float) -> None:
    """Make runs one after another: queued, running, ended, with an image and its photometry."""
    db = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    db.execute("PRAGMA journal_mode=WAL")
    steps = 0

    def commit(*statements: tuple[str, tuple[object, ...]]) -> None:
        nonlocal steps
        wait = start + steps / rate - time.monotonic()
        time.sleep(max(0.0, wait))
        db.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            db.execute(sql, values)
        db.execute("COMMIT")
        steps += 1

    start = time.monotonic()
    made = []
    for number in range(rounds):
        stem = f"2026-01-05T{number // 60:02d}-{number % 60:02d}-00"
        ms, image = f"/live/{stem}.ms", f"/live/{stem}.fits"
        end = "failed" if number % 3 == 2 else "done"
        commit(
            ("INSERT INTO ms_index (path, mid_mjd, status) VALUES (?, 61045.1, 'pending')", (ms,)),
            (
                "INSERT INTO jobs (type, status, ms_path, created_at) "
                "VALUES ('image', 'pending', ?, 1767600000.0)",
                (ms,),
            ),
        )
        commit(("UPDATE jobs SET status = 'running' WHERE ms_path = ?", (ms,)))
        rest = []
        if end == "done":
            rest = [
                (
                    "INSERT INTO images (path, ms_path, created_at, type) "
                    "VALUES (?, ?, 1767600500.0, 'image')",
                    (image, ms),
                ),
                *(
                    (
                        "INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg) "
                        "VALUES (?, ?, 1.0, 2.0)",
                        (f"live {k}", image),
                    )
                    for k in range(5)
                ),
            ]
        commit(("UPDATE jobs SET status = ? WHERE ms_path = ?", (end, ms)), *rest)
        made.append([ms, image if end == "done" else None, end])
    db.close()
    print(json.dumps({"made": made, "commits": steps}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
