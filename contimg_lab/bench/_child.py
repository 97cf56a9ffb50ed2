"""What a measuring process runs: one named function, its arguments and its answer as JSON.

The first line of the standard input says what to call; the answer is the last line of the
standard output. A writer keeps the rest of the standard input as its sign to end.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
from typing import Any, TextIO

__all__ = ["main"]


def main() -> None:
    """Call what the first line of the standard input names."""
    # whatever the measured code prints belongs to the standard error, not into the answer
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.loads(sys.stdin.readline())
    module, name = asked["function"].split(":")
    function = getattr(importlib.import_module(module), name)
    _say(answer, function(**asked["arguments"]))


def _say(answer: TextIO, found: Any) -> None:
    if inspect.isasyncgen(found):
        asyncio.run(_steps(answer, found))
    elif inspect.isgenerator(found):
        for step in found:
            _line(answer, step)
    else:
        _line(answer, asyncio.run(found) if inspect.iscoroutine(found) else found)


async def _steps(answer: TextIO, found: Any) -> None:
    async for step in found:
        _line(answer, step)


def _line(answer: TextIO, value: object) -> None:
    answer.write(json.dumps(value) + "\n")
    answer.flush()


if __name__ == "__main__":
    main()
