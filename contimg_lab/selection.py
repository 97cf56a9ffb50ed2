"""The selection: what is chosen, shared by every panel and by the user's code, with its past."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from contimg_lab.errors import InvalidInput
from contimg_lab.times import datetime_from_mjd, mjd_from_name, parse_night

__all__ = ["FIELDS", "Change", "Selection"]

FIELDS = ("night", "hour", "ms_path", "image", "source", "sources", "caltable")
"""Names of what can be chosen."""

_MOST_PAST = 200
_EMPTY: dict[str, Any] = {**dict.fromkeys(FIELDS), "sources": frozenset()}
_log = logging.getLogger(__name__)

Place = Callable[[str], tuple[str | None, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an observer is told: which field, what it held before, what it holds now."""

    name: str
    old: Any
    new: Any


class Selection:
    """What is chosen; every value is a key, so sorting and filtering a table moves nothing.

    Attributes
    ----------
    night, hour
        UTC date ``YYYY-MM-DD``, and hour 0 to 23. Choosing an MS says both.
    ms_path
        Path of a Measurement Set, which also stands for its run.
    image
        Path of an image.
    source, sources
        A source's name; names of several (a set).
    caltable
        Path of a cal table.
    fields
        Names of all of these.

    Parameters
    ----------
    place
        Gives night and hour of an MS path; None: by the time in its name.

    Examples
    --------
    >>> from contimg_lab.selection import Selection
    >>> selection = Selection()
    >>> selection.observe(lambda change: print(change.name, change.new), ["source"])
    >>> selection.source = "NVSS J000000+161500"
    source NVSS J000000+161500
    >>> selection.ms_path = "/ms/2025-11-06T06:43:33.ms"
    >>> selection.night, selection.hour
    ('2025-11-06', 6)
    >>> selection.back().to_dict()
    {'source': 'NVSS J000000+161500'}
    """

    fields: ClassVar[tuple[str, ...]] = FIELDS
    night: str | None
    hour: int | None
    ms_path: str | None
    image: str | None
    source: str | None
    sources: frozenset[str]
    caltable: str | None

    def __init__(self, place: Place | None = None) -> None:
        put = object.__setattr__
        put(self, "_place", place or _place_by_name)
        put(self, "_now", dict(_EMPTY))
        put(self, "_past", [])
        put(self, "_future", [])
        put(self, "_observers", [])

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(f"a selection has no {name!r}; it has {', '.join(FIELDS)}")
        return self._now[name]

    def __setattr__(self, name: str, value: object) -> None:
        self.choose(**{name: value})

    def choose(self, **values: object) -> None:
        """Choose several at once: one step for `back`; None (or an empty set) is nothing.

        Raises
        ------
        InvalidInput
            There is no such field, or a value is no key of it.

        Examples
        --------
        >>> from contimg_lab.selection import Selection
        >>> selection = Selection()
        >>> selection.choose(source="a", sources={"a", "b"})
        >>> sorted(selection.sources)
        ['a', 'b']
        """
        _known(values)
        wanted = {name: _checked(name, value) for name, value in values.items()}
        ms_path = wanted.get("ms_path")
        if ms_path is not None:
            night, hour = self._place(ms_path)
            wanted = {"night": night, "hour": hour} | wanted
        now = {**self._now, **wanted}
        if now == self._now:
            return
        self._past.append(self._now)
        del self._past[:-_MOST_PAST]
        self._future.clear()
        self._become(now)

    def clear(self) -> None:
        """Choose nothing; `back` brings it again."""
        self.choose(**_EMPTY)

    def back(self) -> Selection:
        """Go back to what was chosen before; at the beginning, stay. Returns the selection."""
        return self._step(self._past, self._future)

    def forward(self) -> Selection:
        """Go forward again after `back`; at the end, stay. Returns the selection."""
        return self._step(self._future, self._past)

    @property
    def can_go_back(self) -> bool:
        """Whether `back` has anything to bring again."""
        return bool(self._past)

    @property
    def can_go_forward(self) -> bool:
        """Whether `forward` has anything to bring again."""
        return bool(self._future)

    def to_dict(self) -> dict[str, Any]:
        """Return what is chosen, by field; ready for JSON, and for ``choose(**...)``.

        Examples
        --------
        >>> from contimg_lab.selection import Selection
        >>> selection = Selection()
        >>> selection.sources = {"b", "a"}
        >>> selection.to_dict()
        {'sources': ['a', 'b']}
        """
        return {
            name: sorted(value) if name == "sources" else value
            for name, value in self._now.items()
            if value not in (None, frozenset())
        }

    def observe(
        self, callback: Callable[[Change], None], names: str | Iterable[str] | None = None
    ) -> None:
        """Call a function with a `Change` whenever one of these fields (None: any) changes.

        What it raises is logged, and kept from the other observers. The same function may
        observe only once: observing again replaces its names.

        Raises
        ------
        InvalidInput
            There is no such field.
        """
        wanted = FIELDS if names is None else (names,) if isinstance(names, str) else tuple(names)
        _known(wanted)
        self.unobserve(callback)
        self._observers.append((callback, frozenset(wanted)))

    def unobserve(self, callback: Callable[[Change], None]) -> None:
        """Stop calling a function; one that does not observe is no error."""
        self._observers[:] = [pair for pair in self._observers if pair[0] != callback]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Selection({told})"

    def _step(self, taken: list[dict[str, Any]], kept: list[dict[str, Any]]) -> Selection:
        if taken:
            kept.append(self._now)
            self._become(taken.pop())
        return self

    def _become(self, now: Mapping[str, Any]) -> None:
        before = self._now
        object.__setattr__(self, "_now", dict(now))
        for name in FIELDS:
            for callback, names in tuple(self._observers):
                # an observer may have chosen again: then it was told of what holds now
                if name in names and before[name] != now[name] and self._now[name] == now[name]:
                    try:
                        callback(Change(name=name, old=before[name], new=now[name]))
                    except Exception:
                        _log.exception("an observer of the selection failed on %s", name)


def _known(names: Iterable[str]) -> None:
    for name in names:
        if name not in FIELDS:
            raise InvalidInput(f"a selection has no {name!r}; it has {', '.join(FIELDS)}")


def _checked(name: str, value: object) -> object:
    if name == "sources":
        if isinstance(value, str) or not isinstance(value, Iterable | None):
            raise InvalidInput(f"sources {value!r} are no set of names; write {{'a', 'b'}}")
        names = frozenset(() if value is None else value)
        if not all(isinstance(one, str) for one in names):
            raise InvalidInput("sources holds something that is no name")
        return names
    if value is None:
        return None
    if name == "night":
        return parse_night(value).isoformat()  # type: ignore[arg-type]  # it refuses what is none
    if name == "hour":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 23:
            raise InvalidInput(f"hour {value!r} is no UTC hour from 0 to 23")
        return value
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{name} {value!r} is no key; give its text")
    return value


def _place_by_name(ms_path: str) -> tuple[str | None, int | None]:
    mjd = mjd_from_name(ms_path)
    if mjd is None:
        return None, None
    when = datetime_from_mjd(mjd)
    return when.date().isoformat(), when.hour
