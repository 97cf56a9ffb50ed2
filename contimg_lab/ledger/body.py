"""What an entry says: the members of its body, and what each of them may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["FORMAT", "ZEROS", "faults_of_body", "is_digest"]

FORMAT = "contimg_lab ledger entry 1"
ZEROS = "0" * 64  # previous hash of the first entry

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_NIGHT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DECISIONS = ("accept", "accept with exceptions", "reject", "hold")


def is_digest(value: object) -> bool:
    """Whether a value is 64 lower-case hex digits."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_evidence(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"digest", "tables"}
        and is_digest(value["digest"])
        and isinstance(value["tables"], dict)
        and all(map(_is_table, value["tables"].values()))
    )


def _is_table(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"rows", "digest", "hours"}
        and type(value["rows"]) is int
        and is_digest(value["digest"])
        and isinstance(value["hours"], dict)
        and all(map(is_digest, value["hours"].values()))
    )


def _are_hours(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(told, dict)
        and set(told) == {"decision", "promotion"}
        and told["decision"] in _DECISIONS
        and (told["promotion"] is None or isinstance(told["promotion"], str))
        for told in value.values()
    )


def _are_exceptions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(told, dict)
        and set(told) == {"check", "hour", "key", "reason"}
        and _is_name(told["reason"])
        for told in value
    )


_MEMBERS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "format": (repr(FORMAT), lambda value: value == FORMAT),
    "number": ("a whole number from 1", _is_count),
    "previous": ("64 hex digits", is_digest),
    "kind": ("sign-off or correction", lambda value: value in ("sign-off", "correction")),
    "corrects": ("a number or null", lambda value: value is None or _is_count(value)),
    "signed_at": (
        "a UTC time like 2025-10-09T18:00:00.000000Z",
        lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    ),
    "reviewer": ("a name", _is_name),
    "public_key": ("64 hex digits or null", lambda value: value is None or is_digest(value)),
    "listed": ("true or false", lambda value: isinstance(value, bool)),
    "night": (
        "a date like 2025-10-09",
        lambda value: isinstance(value, str) and _NIGHT.fullmatch(value) is not None,
    ),
    "hours": ("a decision and a promotion for each hour", _are_hours),
    "decision": (f"one of {', '.join(_DECISIONS)}", lambda value: value in _DECISIONS),
    "reason": ("text", _is_text),
    "exceptions": ("check, hour, key and reason of each", _are_exceptions),
    "notes": ("text", _is_text),
    "versions": ("an object", _is_object),
    "thresholds": ("an object", _is_object),
    "results": ("a list", lambda value: isinstance(value, list)),
    "recommendation": ("an object", _is_object),
    "database": ("an object", _is_object),
    "evidence": ("a digest, and digests of tables and hours", _is_evidence),
}


def faults_of_body(body: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a body is not as this format has it; nothing where all is well.

    Parameters
    ----------
    body
        Any mapping of texts to values of JSON's kinds.
    """
    if body.get("format") != FORMAT:
        yield f"its format is {str(body.get('format'))[:60]!r}, and this version reads {FORMAT!r}"
        return
    for name in _MEMBERS:
        if name not in body:
            yield f"it has no {name!r}"
    for name, value in body.items():
        if name not in _MEMBERS:
            yield f"it has {name!r}, which this format does not"
        elif not _MEMBERS[name][1](value):
            yield f"its {name!r} is not {_MEMBERS[name][0]}"
    kind, corrects, number = (body.get(name) for name in ("kind", "corrects", "number"))
    if (kind == "correction") != (corrects is not None):
        yield "a correction names the entry that it corrects, and no other entry does"
    elif _is_count(corrects) and _is_count(number) and corrects >= number:  # type: ignore[operator]
        yield f"it corrects entry {corrects}, which does not come before it"
