"""Keys of many rows in few words, as a notebook's metadata holds them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.evidence import Key

__all__ = ["in_order", "keys_told", "told_keys"]

_MOST_ROWS = 5_000_000
_MOST_CHARACTERS = 100_000_000
_RANGE = re.compile(r"(-?[0-9]{1,19})(?:\.\.(-?[0-9]{1,19}))?")
_ESCAPED = re.compile(r"\\(.)")
_TEXT = re.compile(r"([0-9]{1,6}) (.*)", re.DOTALL)


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Return keys in their one order: numbers first."""
    return sorted(keys, key=lambda key: (isinstance(key, str), key))


def told_keys(keys: Sequence[Key]) -> dict[str, Any]:
    r"""Write keys, which are in order.

    Returns
    -------
    dict
        ``numbers``: runs of whole numbers as one text, which no other program's numbers can
        bend; ``texts``: a line each, the number of characters that it shares with the one before
        it, and the rest. What there is none of is left out.

    Examples
    --------
    >>> told_keys([1, 2, 3, 7, "/ms/06.ms", "/ms/07.ms"])
    {'numbers': '1..3 7', 'texts': '0 /ms/06.ms\n5 7.ms'}
    """
    numbers = [key for key in keys if isinstance(key, int)]
    told: dict[str, Any] = {}
    if numbers:
        told["numbers"] = " ".join(_runs(numbers))
    if len(numbers) < len(keys):
        told["texts"] = "\n".join(_fronts([key for key in keys if isinstance(key, str)]))
    return told


def _runs(numbers: Sequence[int]) -> Iterable[str]:
    start = last = numbers[0]
    for number in itertools.chain(numbers[1:], [None]):
        if number is not None and number == last + 1:
            last = number
            continue
        yield str(start) if start == last else f"{start}..{last}"
        if number is not None:
            start = last = number


def _fronts(texts: Sequence[str]) -> list[str]:
    told, before = [], ""
    for text in texts:
        alike = itertools.takewhile(
            lambda pair: pair[0] == pair[1], zip(before, text, strict=False)
        )
        shared = sum(1 for _ in alike)
        rest = text[shared:].replace("\\", "\\\\").replace("\n", "\\n")
        told.append(f"{shared} {rest}")
        before = text
    return told


def keys_told(told: object) -> list[Key]:
    """Read what `told_keys` wrote.

    Raises
    ------
    InvalidInput
        It is something else, or it stands for more keys than any night has rows.
    """
    if not isinstance(told, dict) or set(told) - {"numbers", "texts"}:
        raise InvalidInput("keys of rows are not numbers and texts")
    numbers, texts = told.get("numbers", ""), told.get("texts", "")
    if not isinstance(numbers, str) or not isinstance(texts, str):
        raise InvalidInput("keys of rows are of another kind")
    keys: list[Key] = []
    for run in numbers.split():
        match = _RANGE.fullmatch(run)
        if match is None:
            raise InvalidInput(f"{run[:40]!r} is no run of numbers")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first or last - first + len(keys) >= _MOST_ROWS:
            raise InvalidInput(f"the run {run[:40]!r} cannot be one of rows")
        keys += range(first, last + 1)
    room, before = _MOST_CHARACTERS, ""
    for text in texts.split("\n") if "texts" in told else ():
        match = _TEXT.fullmatch(text)
        if match is None or int(match[1]) > len(before):
            raise InvalidInput(f"{text[:40]!r} is no key of a row")
        rest = _ESCAPED.sub(lambda pair: "\n" if pair[1] == "n" else pair[1], match[2])
        before = before[: int(match[1])] + rest
        room -= len(before)
        if room < 0:
            raise InvalidInput("the keys of rows are longer than any night's")
        keys.append(before)
    return keys
