"""The child process that runs nights one after the other; its kernels end when it does.

It reads its settings and then nights from the standard input, a line of JSON each, and answers
each night with one. When the input ends, whether it was closed or whoever wrote it was killed,
it ends at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contimg_lab.cli._qa_files import still_stands, whole_report, write_night
from contimg_lab.cli._qa_notebook import NotJudged, end_kernels, execute, notebook_digest
from contimg_lab.errors import ContimgLabError

__all__ = ["main"]


def main() -> None:
    """Run nights until there are no more."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed here is no answer
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    settings = json.loads(lines.get())
    while True:
        night = json.loads(lines.get())["night"]
        print(json.dumps(_answer(settings, night)), file=answers, flush=True)


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    end_kernels()
    os._exit(0)  # the other thread may wait for a kernel


def _answer(settings: Mapping[str, Any], night: str) -> dict[str, Any]:
    begun = time.monotonic()
    told: dict[str, Any] = {"night": night, "was_run": False, "why_not": ""}
    try:
        if not _stands(settings, night):
            told["was_run"] = True
            _run(settings, night)
    except ContimgLabError as error:
        told["why_not"] = " ".join(str(error).split())
    except Exception as error:  # a defect of ours, too, is no reason to leave other nights
        told["why_not"] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return told | {"seconds": time.monotonic() - begun}


def _stands(settings: Mapping[str, Any], night: str) -> bool:
    """Whether the night was run, and the same rows say the same now."""
    folder = Path(settings["out"]) / night
    held = None if settings["again"] else whole_report(folder, notebook_digest())
    return held is not None and asyncio.run(_same(settings, held))


async def _same(settings: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    from contimg_lab.lab import demo_lab, open_lab

    path, ledger = settings["database"], settings["ledger"]
    opening = demo_lab(ledger=ledger) if path is None else open_lab(path or None, ledger=ledger)
    async with opening as lab:
        now = await lab.qa.night(held["night"], thresholds=settings["thresholds"])
        return await asyncio.to_thread(still_stands, held, now)


def _run(settings: Mapping[str, Any], night: str) -> None:
    names = ("database", "thresholds", "ledger")
    source = notebook_digest()
    done = execute({"night": night, **{name: settings[name] for name in names}})
    if done.report["night"] != night:
        raise NotJudged(f"the notebook judged {done.report['night']}")
    told = {**done.report, "ledger": _ledger_head(settings["ledger"])}
    write_night(Path(settings["out"]) / night, done.notebook, told, done.report, source)


def _ledger_head(path: str | None) -> dict[str, Any]:
    from contimg_lab.config import ledger_path, read_config
    from contimg_lab.ledger.store import Ledger

    try:
        head = Ledger(ledger_path(read_config(ledger=path))).head()
    except ContimgLabError as error:
        return {"number": None, "hash": None, "why_not": " ".join(str(error).split())}
    return {"number": head.number, "hash": head.hash, "why_not": ""}


if __name__ == "__main__":
    main()
