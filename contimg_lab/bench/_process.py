"""Run a function in a fresh process, so that its memory and its stalls are its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from contimg_lab.errors import ContimgLabError

__all__ = ["Failed", "Running", "call", "running"]

_END_S = 60.0


class Failed(ContimgLabError):
    """A measuring process ended without an answer; the message is its last line."""


class Running:
    """A process that is at work; it answers line by line.

    Attributes
    ----------
    last
        The answer read last; None before the first.
    """

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process = process
        self._errors = errors
        self.last: Any = None

    def read(self) -> Any:
        """Wait for the next answer.

        Raises
        ------
        Failed
            The process ended without one.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            told = [text for text in self._errors.read().splitlines() if text.strip()]
            raise Failed(told[-1] if told else f"exit code {self._process.returncode}")
        self.last = json.loads(line)
        return self.last

    def say(self) -> None:
        """Send a line: the sign to take the next step."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> Any:
        """Send the sign to end, and return the last answer."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.read()
        self._process.wait(_END_S)
        return self.last


@contextlib.contextmanager
def running(function: str, **arguments: object) -> Iterator[Running]:
    """Start ``module:function`` of this package in a process of its own; killed at the end."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "contimg_lab.bench._child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdin is not None
            asked = {"function": f"contimg_lab.bench.{function}", "arguments": arguments}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            yield Running(process, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was never sent is of no use now
                        pipe.close()


def call(function: str, **arguments: object) -> Any:
    """Run ``module:function`` of this package in a process of its own, and return its answer.

    Raises
    ------
    Failed
        It raised; the message is the last line of what it said.
    """
    with running(function, **arguments) as process:
        return process.end()
