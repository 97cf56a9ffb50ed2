"""Saved views: filters, selection, units and layout of the open panels as small JSON."""

from __future__ import annotations

import asyncio
import json
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from contimg_lab.errors import InvalidInput
from contimg_lab.units import Units

__all__ = ["Shown", "View", "read_view", "write_view"]

_FORMAT = 1
_MARK = "contimg_lab_view"


class Shown(Protocol):
    """What a panel gives, to be saved and restored."""

    def view_state(self) -> dict[str, Any]:
        """Return filters, chosen key and layout, ready for JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `view_state` gave."""


class View:
    """What is on screen; ``lab.view``.

    Parameters
    ----------
    lab
        The Lab whose panels these are.

    Attributes
    ----------
    units
        In what panels write fluxes and positions; see `contimg_lab.units.Units`.

    Examples
    --------
    >>> import asyncio, contimg_lab as cl
    >>> async def again():
    ...     async with cl.demo() as lab:
    ...         lab.selection.source = "NVSS J000000+161500"
    ...         saved = await lab.view.save()
    ...         lab.selection.clear()
    ...         await lab.view.restore(saved)
    ...         return lab.selection.source
    >>> asyncio.run(again())
    'NVSS J000000+161500'
    """

    def __init__(self, lab: Any) -> None:
        self._lab = weakref.proxy(lab)
        self._panels: dict[str, weakref.ref[Shown]] = {}
        self.units = Units()

    def register(self, kind: str, panel: Shown) -> str:
        """Take a panel in, held weakly; returns its name: its kind, with a number from the second.

        A panel that was closed calls `forget`.
        """
        number = 1
        while (name := kind if number == 1 else f"{kind} {number}") in self.panels:
            number += 1
        self._panels[name] = weakref.ref(panel)
        return name

    def forget(self, name: str) -> None:
        """Let go of a panel that was closed."""
        self._panels.pop(name, None)

    @property
    def panels(self) -> dict[str, Shown]:
        """Open panels by name, in the order in which they were opened."""
        held = {name: reference() for name, reference in self._panels.items()}
        return {name: panel for name, panel in held.items() if panel is not None}

    async def save(self, path: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Return what is on screen, and write it to a file where one is given (JSON).

        Parameters
        ----------
        path
            A file to write, replaced where it is there.
        """
        saved = self.collect(await self._lab.identity())
        if path is not None:
            await asyncio.to_thread(write_view, Path(path), saved)
        return saved

    async def restore(
        self, saved: str | os.PathLike[str] | Mapping[str, Any], *, force: bool = False
    ) -> tuple[str, ...]:
        """Bring filters, selection and layout back to the panels that are open now.

        Parameters
        ----------
        saved
            What `save` returned, or the file that it wrote.
        force
            Also where it was saved on another database.

        Returns
        -------
        tuple of str
            Names of saved panels that are not open: open them, and restore again.

        Raises
        ------
        InvalidInput
            It is no saved view, or one of another database.
        """
        found = (
            saved if isinstance(saved, Mapping) else await asyncio.to_thread(read_view, Path(saved))
        )
        return self.apply(found, await self._lab.identity(), force=force)

    def collect(self, identity: str) -> dict[str, Any]:
        """Return what `save` does, with the database's identity as given."""
        return {
            _MARK: _FORMAT,
            "identity": identity,
            "selection": self._lab.selection.to_dict(),
            "units": self.units.to_dict(),
            "panels": {name: panel.view_state() for name, panel in self.panels.items()},
        }

    def apply(
        self, saved: Mapping[str, Any], identity: str, *, force: bool = False
    ) -> tuple[str, ...]:
        """Do what `restore` does, with the database's identity as given."""
        selection, panels = saved.get("selection"), saved.get("panels")
        units = saved.get("units", {})  # views of before there were any say none
        if (
            saved.get(_MARK) != _FORMAT
            or not isinstance(selection, Mapping)
            or not isinstance(panels, Mapping)
            or not isinstance(units, Mapping)
        ):
            raise InvalidInput("this is no saved view; give what lab.view.save() returned or wrote")
        if saved.get("identity") != identity and not force:
            raise InvalidInput(
                "this view was saved on another database; its keys may name nothing here: "
                "force=True restores it all the same"
            )
        self.units.choose(**units)
        missing = []
        for name, state in panels.items():
            panel = self.panels.get(name)  # a dashboard that is restored opens others
            if panel is None:
                missing.append(str(name))
            else:
                panel.restore(state)
        chosen = self._lab.selection
        chosen.choose(**{**dict.fromkeys(chosen.fields), **selection})
        return tuple(missing)


def write_view(path: Path, saved: Mapping[str, Any]) -> None:
    """Write a view whole, or not at all."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def read_view(path: Path) -> Mapping[str, Any]:
    """Read a view; raises InvalidInput where the file holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read as a saved view: {error}") from error
    if not isinstance(found, Mapping):
        raise InvalidInput(f"{path} holds no saved view")
    return found
