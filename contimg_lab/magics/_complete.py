"""Tab: names of sources and nights for line magics, of tables and columns inside SQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from contimg_lab.blocking import run
from contimg_lab.errors import ContimgLabError
from contimg_lab.lab import Lab
from contimg_lab.magics._session import Session

__all__ = ["Completer"]

T = TypeVar("T")

_MOST = 20
_PATIENCE_S = 1.0
_LINE = re.compile(r"\s*%(lightcurve|night)[ \t]+(?:--scale[ \t]+)?(.*)\Z", re.DOTALL)
_CELL = re.compile(r"\s*%%contimg_sql\b")
_WORD = re.compile(r"(?:([A-Za-z_]\w*)\.)?(\w*)\Z")
_PLAIN = re.compile(r"[A-Za-z0-9][\w .:+\-]*[\w.:+\-]")
_NAME = re.compile(r"[A-Za-z_]\w*")
_AFTER_TABLE = r"\s+(?:as\s+)?([A-Za-z_]\w*)"


class Completer:
    """What the magics' arguments are completed to; silent where no Lab is open.

    Parameters
    ----------
    session
        What the magics share.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

        @context_matcher(identifier="contimg_lab")
        def matcher(context: CompletionContext) -> dict[str, Any]:
            return self._match(context)

        self.matcher: Any = matcher

    def _match(self, context: CompletionContext) -> dict[str, Any]:
        fragment, found, kind = context.token, list[str](), ""
        line = _LINE.match(context.text_until_cursor)
        if _CELL.match(context.full_text) and context.cursor_line > 0:
            fragment, found = self._sql(context)
            kind = "column"
        elif line is not None:
            fragment, kind = line[2], "source" if line[1] == "lightcurve" else "night"
            found = self._sources(fragment) if kind == "source" else self._nights(fragment)
        return {
            "completions": [SimpleCompletion(text, type=kind) for text in found],
            "matched_fragment": fragment,
            "ordered": True,
            "suppress": bool(found),
        }

    def _sources(self, fragment: str) -> list[str]:
        quoted = fragment[:1] in ("'", '"')
        prefix = fragment[1:] if quoted else fragment
        lab = self._lab()
        if lab is None:
            return []
        found = _soon(lab.sources.list_sources(limit=_MOST, prefix=prefix), ())
        names = [source.source_id for source in found]
        return [
            name
            if _PLAIN.fullmatch(name) and "--" not in name and not quoted
            else _quoted(name, fragment[:1])
            for name in names
        ]

    def _nights(self, fragment: str) -> list[str]:
        lab = self._lab()
        nights = () if lab is None else _soon(lab.nights(), ())
        return [night for night in reversed(nights) if night.startswith(fragment)]

    def _sql(self, context: CompletionContext) -> tuple[str, list[str]]:
        word = _WORD.search(context.text_until_cursor)
        lab = self._lab()
        if word is None or lab is None:
            return context.token, []
        tables = _soon(lab.sql.columns(), {})
        body = context.full_text.partition("\n")[2]
        if word[1] is not None:
            table = _table_of(word[1], body, tables)
            columns: Iterable[str] = tables.get(table, ())
            return word[2], _begins(columns, word[2])
        named = [name for name in tables if _mentions(body, name)]
        columns = [column for name in named or tables for column in tables[name]]
        names = [*columns, *tables] if named else [*tables, *columns]
        return word[2], _begins(names, word[2])

    def _lab(self) -> Lab | None:
        return self._session.own() if self._session.current() is not None else None


def _soon(awaitable: Awaitable[T], otherwise: T) -> T:
    """Return an answer that comes soon: who types does not wait."""
    try:
        return run(asyncio.wait_for(awaitable, _PATIENCE_S))
    except (ContimgLabError, TimeoutError):
        return otherwise


def _is_plain(name: str) -> bool:
    """Whether a magic takes a name as it stands."""
    return _PLAIN.fullmatch(name) is not None and "--" not in name


def _quoted(name: str, fragment: str) -> str:
    text, quote = repr(name), fragment[:1]
    # what was typed stays: the quote, which repr would choose by itself
    if quote in ("'", '"') and text[0] != quote and quote not in text[1:-1]:
        return quote + text[1:-1] + quote
    return text


def _table_of(word: str, body: str, tables: Iterable[str]) -> str:
    """Return the table that a word before a dot means: its name, or its alias in the cell."""
    for table in tables:
        if table.lower() == word.lower():
            return table
    for table in tables:
        for alias in re.findall(rf"\b{re.escape(table)}{_AFTER_TABLE}", body, re.IGNORECASE):
            if alias.lower() == word.lower():
                return table
    return ""


def _mentions(body: str, table: str) -> bool:
    return re.search(rf"\b{re.escape(table)}\b", body, re.IGNORECASE) is not None


def _begins(names: Iterable[str], prefix: str) -> list[str]:
    unique = dict.fromkeys(n for n in names if n.lower().startswith(prefix.lower()))
    return [n if _NAME.fullmatch(n) else '"' + n.replace('"', '""') + '"' for n in unique]
