"""The Lab that magics speak of: ``lab`` in the user's namespace, and their own beside it.

A magic is no coroutine, so its calls run on the loop of `contimg_lab.blocking`. The user's Lab
is for the kernel's loop, and one Lab must not serve two loops at a time: hence a second one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from IPython.core.error import UsageError

from contimg_lab.blocking import BlockingLab, run
from contimg_lab.errors import ContimgLabError
from contimg_lab.lab import Lab, demo_lab, open_lab

__all__ = ["DEMO", "Session"]

T = TypeVar("T")

DEMO = "demo"
"""What is written in place of a path for the built-in season."""

_NAME = "lab"


class Session:
    """What the magics of one shell share.

    Parameters
    ----------
    shell
        The interactive shell.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._known: Lab | None = None
        self._own: Lab | None = None

    def open(self, path: str) -> Lab:
        """Open a database and put its Lab into the user's namespace.

        Parameters
        ----------
        path
            A folder or file; empty: what the environment says; `DEMO`: the built-in season.
        """
        own = self.wait(demo_lab() if path == DEMO else open_lab(path or None))
        self.close()
        lab = Lab(own.config, own.layout, title=own.title)
        self._known, self._own = lab, own
        self.shell.push({_NAME: lab})
        return lab

    def current(self) -> Lab | None:
        """Return the user's Lab, however it was opened; None where there is none."""
        found = self.shell.user_ns.get(_NAME)
        if isinstance(found, BlockingLab):
            found = found._lab
        return found if isinstance(found, Lab) else None

    def own(self) -> Lab:
        """Return the magics' own Lab on the same files; use it with `wait` alone.

        Raises
        ------
        UsageError
            No Lab is open.
        """
        lab = self.current()
        if lab is None:
            raise UsageError("no lab is open: write %lab, %lab PATH or %lab demo first")
        if self._own is None or self._known is not lab:
            self.close()
            self._known, self._own = lab, Lab(lab.config, lab.layout, title=lab.title)
        return self._own

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait for an answer; an error of ours is told in one line."""
        try:
            return run(awaitable)
        except ContimgLabError as error:
            raise UsageError(str(error)) from error

    def close(self) -> None:
        """Close the magics' own Lab; may be called twice."""
        own, self._known, self._own = self._own, None, None
        if own is not None:
            run(own.close())
