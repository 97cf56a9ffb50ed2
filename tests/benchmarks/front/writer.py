"""The pipeline's writer while panels are measured: ten commits a second, and pauses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from contimg_lab.bench._process import running

__all__ = ["COMMITS_PER_S", "Writer"]

COMMITS_PER_S = 10.0


class Writer:
    """A writer in a process of its own, as long as it is entered.

    Parameters
    ----------
    file
        The database, a copy that nobody else needs.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at_work = contextlib.ExitStack()

    def __enter__(self) -> Writer:
        held = running("_writer:write", path=str(self._file), commits_per_s=COMMITS_PER_S)
        process = self._at_work.enter_context(held)
        process.read()
        self._at_work.callback(process.end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._at_work.close()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Commit nothing for a while."""
        self._at_work.close()
        try:
            yield
        finally:
            self.__enter__()
