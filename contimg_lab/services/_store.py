"""Every epoch of the field in memory, served only while it is proven to be current.

The proof is SQLite's ``data_version``: as long as it stands where it stood when the file was
read, nothing has been committed. When it has moved, everything is read again, in a child
process: no cheaper look (counts, sums, highest ids) sees a changed last digit.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import Closed, DatabaseError
from contimg_lab.records.status import StoreStatus

if TYPE_CHECKING:
    from contimg_lab.database.scan import Handed
    from contimg_lab.services._context import Context
    from contimg_lab.services._epochs import Epochs

__all__ = ["EpochStore"]

_TABLE = "photometry"
_BYTES_A_ROW = 39  # of `Epochs`
_SMALL = 50_000  # rows that are read sooner than a process starts
_REST = 10.0  # between builds that nobody waits for, in lengths of the last one


@dataclass(slots=True, eq=False)
class _Held:
    """One state of the field; ``token`` is None where it fell among commits."""

    epochs: Epochs
    token: tuple[object, ...] | None
    size_bytes: int
    began_s: float
    built_s: float
    as_of: datetime


class EpochStore:
    """The epochs of one Lab's field.

    Parameters
    ----------
    context
        What to read with.
    most_bytes
        A field that needs more is never held; 0: the store is off.
    """

    def __init__(self, context: Context, most_bytes: int) -> None:
        self._context = context
        self._most_bytes = most_bytes
        self._held: _Held | None = None
        self._build: asyncio.Task[_Held] | None = None
        self._waiting = 0
        self._rest_until_s = 0.0
        self._done = 0.0
        self._why_not = "switched off (CONTIMG_LAB_STORE_MB)" if most_bytes <= 0 else ""

    async def current(self) -> Epochs | None:
        """Return the epochs where they are proven to be current, else None.

        Then a build begins in the background, unless the last one is too recent.
        """
        if self._why_not:
            return None
        held = self._held
        if held is not None and await self._is_current(held):
            return held.epochs
        if self._idle() and time.monotonic() >= self._rest_until_s:
            self._begin()
        return None

    async def fresh(self, max_age_s: float = 0.0) -> tuple[Epochs, datetime] | None:
        """Return epochs of a state no older than this call, and when they were current.

        Waits for a build where there is need of one. Cancelled, it ends a build that nobody
        else waits for.

        Parameters
        ----------
        max_age_s
            A state that was current at most so many seconds ago will do.

        Returns
        -------
        epochs, as_of
            None where there can be no store, so that SQL must answer.
        """
        asked_s = time.monotonic()
        held = self._held
        if held is not None and max_age_s > 0.0 and await self.current() is None:
            age_s = (datetime.now(UTC) - held.as_of).total_seconds()
            if age_s <= max_age_s and not self._why_not:
                return held.epochs, held.as_of
        while not self._why_not:
            if held is not None and (held.began_s >= asked_s or await self._is_current(held)):
                return held.epochs, held.as_of
            if self._idle():
                self._begin()
            held = await self._wait()
            if held is None:
                return None
        return None

    def status(self) -> StoreStatus:
        """Say what is held, and what is being built."""
        held, building = self._held, not self._idle()
        state = "off" if self._why_not else "ready" if held else "none"
        return StoreStatus(
            state="building" if building and not held else state,
            why_off=self._why_not,
            n_rows=len(held.epochs.row_id) if held else 0,
            n_sources=len(held.epochs.source_ids) if held else 0,
            size_bytes=held.size_bytes if held else 0,
            most_bytes=self._most_bytes,
            as_of=held.as_of if held else None,
            built_s=held.built_s if held else None,
            building=self._done if building else None,
        )

    async def close(self) -> None:
        """End a build, and let go of everything."""
        self._why_not = "the Lab was closed"
        self._held = None
        build = self._build
        if build is not None and build.get_loop() is asyncio.get_running_loop():
            build.cancel()
            await asyncio.wait([build])

    async def _is_current(self, held: _Held) -> bool:
        if held.token is None or held.token != await self._context.database.token_of(_TABLE):
            return False
        held.as_of = datetime.now(UTC)
        return True

    def _idle(self) -> bool:
        build = self._build
        return build is None or build.done() or build.get_loop() is not asyncio.get_running_loop()

    def _begin(self) -> None:
        self._done = 0.0
        self._build = asyncio.get_running_loop().create_task(self._make())
        self._build.add_done_callback(_seen)

    async def _wait(self) -> _Held | None:
        build = self._build
        assert build is not None
        self._waiting += 1
        try:
            return await asyncio.shield(build)
        except DatabaseError:  # SQL answers, or says what is wrong
            return None
        except asyncio.CancelledError:
            if build.cancelled() and self._why_not:
                raise Closed("the Lab was closed meanwhile; open it again") from None
            if self._waiting == 1:
                build.cancel()
            raise
        finally:
            self._waiting -= 1

    async def _make(self) -> _Held:
        began_s, began = time.monotonic(), datetime.now(UTC)
        try:
            table = await self._context.database.table(_TABLE)
            n = await self._context.measurements.most_rows()
            if n * _BYTES_A_ROW > self._most_bytes:
                self._why_not = (
                    f"{n:,} rows need {n * _BYTES_A_ROW / 1e6:.0f} MB, and "
                    f"CONTIMG_LAB_STORE_MB allows {self._most_bytes / 1e6:.0f}"
                )
                raise DatabaseError(f"no store of the epochs: {self._why_not}")
            size = n * _BYTES_A_ROW
            if n <= _SMALL:
                epochs, token = await self._by_sql()
            else:
                handed, token = await self._by_child(table.columns)
                epochs = await asyncio.to_thread(_epochs_of, handed)
                size = handed.size_bytes
        finally:
            built_s = time.monotonic() - began_s
            self._rest_until_s = time.monotonic() + _REST * built_s
        self._held = held = _Held(epochs, token, size, began_s, built_s, began)
        return held

    async def _by_sql(self) -> tuple[Epochs, tuple[object, ...] | None]:
        from contimg_lab.services._epochs import read_epochs

        database = self._context.database
        before = await database.token_of(_TABLE)
        epochs = await read_epochs(self._context, None)
        return epochs, before if before == await database.token_of(_TABLE) else None

    async def _by_child(self, columns: Any) -> tuple[Handed, tuple[object, ...] | None]:
        from contimg_lab.services._epoch_child import WORK

        database = self._context.database
        request = {
            "columns": [name.lower() for name in columns],
            "has_images": await database.find_table("images") is not None,
            "careful": False,
        }
        with contextlib.suppress(TypeError):  # text among numbers: each kind must be asked for
            return await database.scan(_TABLE, WORK, request, progress=self._progress)
        request["careful"] = True
        return await database.scan(_TABLE, WORK, request, progress=self._progress)

    def _progress(self, done: int, total: int) -> None:
        self._done = min(done / max(total, 1), 1.0)


def _epochs_of(handed: Handed) -> Epochs:
    import numpy as np

    from contimg_lab.services._epochs import Epochs

    images = np.empty(len(handed.told["images"]), object)
    images[:] = handed.told["images"]
    return Epochs(source_ids=tuple(handed.told["source_ids"]), images=images, **handed.columns)


def _seen(build: asyncio.Task[_Held]) -> None:
    if not build.cancelled():
        build.exception()  # a build in the background fails in silence; SQL answers then
