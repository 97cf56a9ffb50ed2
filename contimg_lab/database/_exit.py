"""Let a script or kernel that forgot to close exit at once.

aiosqlite's threads are no daemons, and the interpreter joins such threads before ``atexit``
runs. One daemon thread waits for the main thread to end and then stops every connection.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref

import aiosqlite

__all__ = ["interrupt", "stop_at_exit"]

_lock = threading.Lock()
_open: weakref.WeakSet[aiosqlite.Connection] = weakref.WeakSet()
_watcher: threading.Thread | None = None


def stop_at_exit(connection: aiosqlite.Connection) -> None:
    """Stop this connection's thread when the main thread has ended."""
    global _watcher
    with _lock:
        _open.add(connection)
        if _watcher is None or not _watcher.is_alive():  # not alive: this is a forked child
            _watcher = threading.Thread(target=_wait, name="contimg_lab-exit", daemon=True)
            _watcher.start()


def interrupt(connection: aiosqlite.Connection) -> None:
    """End the SQL that a connection is running, from any thread; never waits."""
    # either error: closed already, or just being closed on its own thread
    with contextlib.suppress(ValueError, StopIteration, sqlite3.ProgrammingError):
        connection.interrupt().send(None)


def _wait() -> None:
    threading.main_thread().join()
    with _lock:
        connections = list(_open)
    for connection in connections:
        interrupt(connection)
        connection.stop()
