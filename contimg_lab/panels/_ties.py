"""What ties a panel to the others and to the pipeline: the selection, the events, the view."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from contimg_lab.errors import InvalidInput
from contimg_lab.events import Follower
from contimg_lab.selection import Change

if TYPE_CHECKING:
    from contimg_lab.panels._base import Panel
    from contimg_lab.panels._requests import Requests

__all__ = ["Tied", "Ties"]


class Tied:
    """What a panel says of its ties, by class attributes and a few methods.

    Attributes
    ----------
    selects, follows, shows
        Field of the selection that holds the chosen row; more fields that move it; kinds of
        `contimg_lab.records.events.Event` that change what is shown.
    renames
        Whether the selection calls a row by another name than the panel.
    shower
        What shows another panel by its name, set by the dashboard that holds this one.
    """

    selects: ClassVar[str] = ""
    follows: ClassVar[tuple[str, ...]] = ()
    shows: ClassVar[tuple[str, ...]] = ()
    renames: ClassVar[bool] = False
    shower: Callable[[str], None] | None = None
    if TYPE_CHECKING:  # of the panel
        _ties: Ties
        _ask: Any
        _errors: Any
        _fetch_detail: Any
        _head: Any
        _mark: Any
        _put_detail: Any
        _read_detail: Any
        _requests: Requests

    async def _key_of(self, field: str, value: str) -> str | None:
        """Return the key of the row that a value of a field of the selection means."""
        return value

    async def _value_of(self, key: str) -> str:
        """Return what the selection calls the row of a key; where the panel ``renames``."""
        return key

    def show_panel(self, name: str) -> bool:
        """Ask the dashboard that holds this panel to show another one.

        Parameters
        ----------
        name
            A key of `contimg_lab.panels.PANELS`.

        Returns
        -------
        bool
            Whether it is shown; not where the panel stands alone, or the dashboard has no such
            tab. What is to be shown there goes through ``lab.selection``, before or after.
        """
        from contimg_lab.panels import TABS

        if self.shower is None or name not in TABS:
            return False
        self.shower(name)
        return True

    def _layout(self) -> dict[str, Any]:
        """Return how the panel is arranged, for a saved view."""
        return {}

    def _arrange(self, layout: Mapping[str, Any]) -> None:
        """Arrange the panel as `_layout` said."""

    def _on_seen(self, *, visible: bool) -> None:
        """Hear that the panel can be seen, or cannot any more."""

    def view_state(self) -> dict[str, Any]:
        """Return filters, chosen key and layout, ready for JSON; see `contimg_lab.views`."""
        return {**self._ties.state(), "layout": self._layout()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `view_state` gave.

        Raises
        ------
        InvalidInput
            It names a filter that this panel has not, or a value that is none.
        """
        self._ties.restore(state)
        self._arrange(state.get("layout", {}))
        self._mark(state.get("selected"))
        self._read_detail(state.get("selected"))

    def _on_live(self, change: Any) -> None:
        self._head.live.description = "live" if change["new"] else "paused"
        self._ties.toggle(live=change["new"])

    def _follow(self, field: str, value: str | None) -> None:
        """Choose the row that the selection means, and tell nobody."""
        self._requests.drop("link")  # what was chosen here before is not to be told any more
        self._errors.pop("link", None)
        if value is None:
            self._mark(None)
            self._read_detail(None)
            return

        async def fetch() -> tuple[str | None, Any]:
            key = await self._key_of(field, value)
            return key, None if key is None else await self._fetch_detail(key)

        def show(found: tuple[str | None, Any]) -> None:
            self.selected = found[0]
            self._mark(found[0])
            self._put_detail(*found)

        self._ask("detail", fetch, show)


class Ties:
    """The ties of one panel.

    Parameters
    ----------
    panel
        Whose ties these are.
    lab
        Its Lab; None: it has none.
    """

    def __init__(self, panel: Panel, lab: Any) -> None:
        self._panel = panel
        self._lab = lab
        self._writing = False
        self._unseen: Change | None = None
        self._changed = False
        self._began_s: float | None = None
        self._begun = False
        self._token: tuple[object, ...] | None = None
        self.marked: frozenset[str] = frozenset()
        self._next: frozenset[str] = frozenset()
        self._visible = True
        self._taken = panel._home.taken(self._on_selection)
        if lab is None:
            return
        self._fields = tuple(dict.fromkeys((panel.selects, *panel.follows)))
        self._follower = Follower(lab, panel.shows, self._on_events)
        self.name = lab.view.register(type(panel).__module__.rsplit(".", 1)[-1], panel)
        self._restated = panel._home.taken(panel._show_again)
        lab.view.units.observe(self._restated)
        self._moved = panel._home.taken(self._on_moved)
        lab.selection.observe(self._moved)
        self._on_moved()
        if panel.selects:
            lab.selection.observe(self._taken, self._fields)

    # the selection

    def _begin(self) -> None:
        """Follow what was selected before the panel was made."""
        for field in self._fields if self._panel.selects else ():
            value = getattr(self._lab.selection, field)
            if value is not None and self._panel.selected is None:
                self._on_selection(Change(name=field, old=None, new=value))
                return

    def choose(self, key: str | None, **also: str) -> None:
        """Write a chosen key into the selection, as what it is called there, and more with it."""
        panel = self._panel
        if self._lab is None or not panel.selects:
            return
        if key is None or not panel.renames:
            self._write(key, **also)
        else:
            panel._ask("link", lambda: panel._value_of(key), self._write)

    def _write(self, value: str | None, **also: str) -> None:
        self._writing = True
        try:
            self._lab.selection.choose(**{self._panel.selects: value}, **also)
        finally:
            self._writing = False

    def _on_selection(self, change: Change) -> None:
        if self._writing or self._panel.state == "closed":
            return
        if not self._visible:
            self._unseen = change
        elif change.new is not None:
            self._panel._follow(change.name, change.new)
        elif change.name == self._panel.selects:
            self._panel._follow(change.name, None)

    def _on_moved(self, change: Change | None = None) -> None:
        """Say in the head whether there is a way back, and forward."""
        tools = self._panel._head.tools
        if tools.history and self._panel.state != "closed":
            tools.can_back = self._lab.selection.can_go_back
            tools.can_forward = self._lab.selection.can_go_forward

    # the events

    async def read(self, fetch: Any) -> Any:
        """Read what the panel shows, and remember which state of the data it is at least."""
        if self._lab is not None:
            self._began_s = time.monotonic()
            self._follower.busy()
            self._token = await self._lab.token()
        return await fetch()

    def shown(self) -> None:
        """What was read is on screen: from now on, follow what changes."""
        if self._lab is None:
            return
        self.marked, self._next = self._next, frozenset()
        if self._panel._head.live.value:
            self._follower.start(self._token)
        if not self._begun:
            self._begun = True
            self._begin()

    def idle(self) -> None:
        """Nothing is under way."""
        if self._lab is not None:
            began_s, self._began_s = self._began_s, None
            self._follower.idle(0.0 if began_s is None else time.monotonic() - began_s)

    def toggle(self, *, live: bool) -> None:
        """Follow what changes, or stop; a panel that goes live again reads again."""
        if self._lab is None:
            return
        if live:
            self._panel.refresh()
        else:
            self._follower.stop()

    def see(self, *, visible: bool) -> None:
        """Say whether the panel can be seen; what it missed meanwhile is made up for."""
        self._visible = visible
        self._panel._on_seen(visible=visible)
        if not visible:
            return
        unseen, self._unseen = self._unseen, None
        if self._changed:
            self._changed = False
            self._panel._reread()
        if unseen is not None:
            self._on_selection(unseen)

    def words(self) -> str:
        """Say whether the panel is live, and how much was new at the last update."""
        if self._lab is None or not self._panel._head.live.value:
            return ""
        return f"; {len(self.marked)} new or changed since the update before" * bool(self.marked)

    def marks(self, keys: Sequence[str], values: Sequence[Any]) -> frozenset[str]:
        """Return the keys of the rows that are new or changed; values are what events call them."""
        new = self._next or self.marked  # of the update that is being shown, else of the last
        pairs = zip(keys, values, strict=True) if new else ()
        return frozenset(key for key, value in pairs if value in new)

    def _on_events(self, keys: frozenset[str]) -> None:
        panel = self._panel
        if panel.state == "closed":
            return
        self._next |= keys
        if not self._visible:
            self._changed = True
            return
        panel._reread()
        if panel.selected is not None:
            panel._read_detail(panel.selected)

    # the view

    def state(self) -> dict[str, Any]:
        """Return the values of the filters by name, and the chosen key."""
        filters = {name: widget.value for name, (_, widget) in self._filters().items()}
        return {"filters": filters, "selected": self._panel.selected}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave; what the panel does not know is an error."""
        known, wanted = self._filters(), state.get("filters", {})
        for name, value in wanted.items():
            if name not in known:
                raise InvalidInput(
                    f"{self._panel.title} has no filter {name!r}; it has {', '.join(known)}"
                )
            part, widget = known[name]
            if type(value) is not type(widget.value):
                raise InvalidInput(f"filter {name} of {self._panel.title} cannot be {value!r}")
            if hasattr(part, "choose"):
                part.choose(value)
            else:
                widget.value = value

    def _filters(self) -> dict[str, tuple[Any, Any]]:
        """Filters by the name of the attribute that holds them: what it is, and its widget."""
        bar = {id(widget) for widget in self._panel._head.filters}
        found = {}
        for name, part in vars(self._panel).items():
            widget = getattr(part, "widget", part)
            if id(widget) in bar and hasattr(widget, "value"):
                found[name.strip("_").removesuffix("_filter")] = (part, widget)
        return found

    def close(self) -> None:
        """Untie everything."""
        if self._lab is None:
            return
        self._lab.selection.unobserve(self._moved)
        if self._panel.selects:
            self._lab.selection.unobserve(self._taken)
        self._lab.view.units.unobserve(self._restated)
        self._lab.view.forget(self.name)
        self._follower.stop()

    async def ended(self) -> None:
        """Wait for what `close` has told to end."""
        if self._lab is not None:
            await self._follower.ended()
