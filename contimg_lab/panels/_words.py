"""Values and errors in words that an astronomer reads, escaped for HTML."""

from __future__ import annotations

import html
import math
import sqlite3
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from contimg_lab.errors import ContimgLabError

__all__ = [
    "MISSING",
    "clip",
    "count_words",
    "duration",
    "error_html",
    "error_words",
    "escape",
    "facts",
    "number",
    "plain",
    "probability",
    "short_ms",
    "utc",
]

MISSING = "-"


def plain(values: Iterable[object]) -> list[Any]:
    """Return a column as plain Python values, None where pandas has a missing one."""
    import pandas as pd

    return [None if value is None or pd.isna(value) else value for value in values]  # type: ignore[call-overload]


def escape(value: object) -> str:
    """Return text that is safe inside HTML, attributes included; `MISSING` for None."""
    return html.escape(MISSING if value is None else str(value), quote=True)


def clip(text: str | None, width: int) -> str:
    """Shorten text from its end; `MISSING` for None."""
    if text is None:
        return MISSING
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def short_ms(path: str | None) -> str:
    """Name of an MS, image or cal table without its folders and ``.ms``."""
    if path is None:
        return MISSING
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return name.removesuffix(".ms") or path


def utc(when: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Write an aware datetime, already in UTC."""
    return MISSING if when is None else when.strftime(form)


def duration(seconds: float | None) -> str:
    """Write a duration as seconds, or as minutes and seconds, or with hours.

    Examples
    --------
    >>> duration(45.2), duration(309), duration(3700), duration(None)
    ('45 s', '5 min 09 s', '1 h 01 min', '-')
    """
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = round(seconds)
    if abs(whole) < 60:
        return f"{whole} s"
    if abs(whole) < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number to so many significant digits, without an exponent where it can be.

    Examples
    --------
    >>> number(0.123456), number(1234.5), number(2.0), number(1e-9), number(float("nan"))
    ('0.123', '1234', '2.00', '1.00e-09', 'nan')
    """
    if value is None:
        return MISSING
    if not math.isfinite(value):
        return str(float(value))
    if value == 0.0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if not -5 < power < 7:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - power)}f}"


def probability(value: float | None) -> str:
    """Write a probability; one that a double cannot hold is small, not zero.

    Examples
    --------
    >>> probability(0.0), probability(0.031), probability(None)
    ('<1e-300', '0.031', '-')
    """
    return "<1e-300" if value is not None and 0.0 <= value < 1e-300 else number(value, 2)


def count_words(words: Iterable[object], order: Sequence[str] = ()) -> str:
    """Count words, those in ``order`` first, then the rest: ``30 completed, 3 failed``."""
    counts = Counter(str(word) for word in words)
    ranked = sorted(
        counts.items(),
        key=lambda item: (order.index(item[0]) if item[0] in order else len(order), -item[1]),
    )
    return ", ".join(f"{count} {word}" for word, count in ranked)


def facts(rows: Mapping[str, object]) -> str:
    """Return a two-column HTML table of names and values, escaped."""
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table class='contimg-facts'>{body}</table>"


def error_words(error: BaseException) -> str:
    """Say what went wrong in one or two sentences."""
    text = " ".join(str(error).split())
    if isinstance(error, ContimgLabError):
        return text[:1].upper() + text[1:]
    if isinstance(error, sqlite3.Error):
        return f"The database could not be read ({text}). Press Refresh to try again."
    if isinstance(error, TimeoutError):
        return "The database did not answer in time. Press Refresh to try again."
    if isinstance(error, OSError):
        return f"A file could not be read: {text}"
    return f"Something went wrong that this panel did not expect ({type(error).__name__}: {text})."


def error_html(error: BaseException, more: str = "") -> str:
    """Return the words of an error, and its traceback in a fold, escaped."""
    trace = "".join(traceback.format_exception(error))
    return (
        f"<div class='contimg-error' role='alert'><b>{escape(error_words(error))}</b> "
        f"{escape(more)}"
        f"<details><summary>details</summary><pre>{escape(trace)}</pre></details></div>"
    )
