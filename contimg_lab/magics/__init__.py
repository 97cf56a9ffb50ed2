"""Magics of ipython and notebooks: ``%load_ext contimg_lab`` brings them."""

from __future__ import annotations

from typing import Any

from contimg_lab.magics._complete import Completer
from contimg_lab.magics._magics import ContimgMagics
from contimg_lab.magics._session import Session

__all__ = ["load", "unload"]

_loaded: dict[int, tuple[Session, Completer]] = {}


def load(shell: Any) -> None:
    """Add the magics, and the completion of what they take, to an interactive shell."""
    if id(shell) in _loaded:
        return
    session = Session(shell)
    completer = Completer(session)
    shell.register_magics(ContimgMagics(shell, session))
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(completer.matcher)
    _loaded[id(shell)] = session, completer


def unload(shell: Any) -> None:
    """Take them away again, and close the Lab that they used; ``lab`` stays open."""
    session, completer = _loaded.pop(id(shell), (None, None))
    if session is None or completer is None:
        return
    if shell.Completer is not None:
        shell.Completer.custom_matchers.remove(completer.matcher)
    for kind, names in ContimgMagics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    session.close()
