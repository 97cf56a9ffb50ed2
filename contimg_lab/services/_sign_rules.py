"""What may be signed: decisions of hours and nights, and an exception for each failing check."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contimg_lab.errors import InvalidInput

__all__ = ["DECISIONS", "PROMOTIONS", "Decided", "decide", "hour_name", "storable"]

DECISIONS = ("accept", "accept with exceptions", "reject", "hold")
PROMOTIONS = ("trusted_baseline", "comparator_only", "weak_baseline")

_ACCEPTING = DECISIONS[:2]
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Decided:
    """Decision, hours and exceptions as an entry holds them."""

    decision: str
    hours: Mapping[str, Mapping[str, str | None]]
    exceptions: Sequence[Mapping[str, str | None]]


def hour_name(hour: object) -> str | None:
    """Name of a UTC hour, two digits, of a number or a name; None of None.

    Raises
    ------
    InvalidInput
        It is no hour.
    """
    if hour is None:
        return None
    text = str(hour)
    if not (text.isascii() and text.isdigit() and int(text) < 24):
        raise InvalidInput(f"{hour!r} is no UTC hour; give 0 to 23")
    return f"{int(text):02d}"


def storable(value: Any) -> Any:
    """Make of a value what an entry can hold: a number that is not finite becomes its name."""
    if isinstance(value, Mapping):
        return {str(name): storable(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(member) for member in value]
    if hasattr(value, "item"):  # numpy's
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):  # half a surrogate pair has no canonical text
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def decide(
    outcomes: Sequence[Mapping[str, Any]],
    judged: Sequence[str],
    promotions: Mapping[str, Collection[str]],
    *,
    decision: str,
    exceptions: Sequence[Mapping[str, Any]] = (),
    hours: Mapping[Any, Any] | None = None,
) -> Decided:
    """Hold a decision against the rules.

    An hour that is not named has the night's decision; of a night that is accepted with
    exceptions, an hour that no exception is about is plainly accepted.

    Parameters
    ----------
    outcomes
        Of each check: ``check``, ``hour``, ``key`` and ``word`` at least.
    judged
        Names of the hours that the report judges.
    promotions
        By hour the classes whose conditions are met.
    decision, exceptions, hours
        As `contimg_lab.services.sign_off.SignOffs.sign` has them.

    Raises
    ------
    InvalidInput
        A rule is not kept; the message names what is lacking, and of failing checks each.
    """
    _known(decision, DECISIONS, "decision")
    told = [_exception(given) for given in exceptions]
    for given in told:
        if not any(_is_about(given, outcome) for outcome in outcomes):
            raise InvalidInput(
                f"the exception for {_place(given)} is about nothing that this report warns of or "
                "fails; name check, hour and key as they stand in it"
            )
    if (decision == "accept with exceptions") != bool(told):
        raise InvalidInput(
            "accept with exceptions names at least one exception (check, hour or key, reason), "
            "and no other decision names any"
        )
    of_hours = _hours(outcomes, judged, promotions, decision, told, hours or {})
    accepted = {hour for hour, one in of_hours.items() if one["decision"] in _ACCEPTING}
    if of_hours and (decision in _ACCEPTING) != bool(accepted):
        raise InvalidInput(
            f"the night is told {decision!r} and of its hours "
            f"{', '.join(sorted(accepted)) or 'none'} accepted; a night is accepted with its hours"
        )
    missing = [
        outcome
        for outcome in outcomes
        if outcome["word"] == "fail"
        and (decision in _ACCEPTING if outcome["hour"] is None else _name(outcome) in accepted)
        and not any(_is_about(given, outcome) for given in told)
    ]
    if missing:
        raise InvalidInput(
            f"a failing check is accepted only beside a reason in words; none is given for "
            f"{_told(missing)}"
        )
    return Decided(decision, of_hours, told)


def _hours(
    outcomes: Sequence[Mapping[str, Any]],
    judged: Sequence[str],
    promotions: Mapping[str, Collection[str]],
    decision: str,
    exceptions: Sequence[Mapping[str, str | None]],
    given: Mapping[Any, Any],
) -> dict[str, Mapping[str, str | None]]:
    named = {hour_name(hour): _hour(one) for hour, one in given.items()}
    unknown = sorted(str(hour) for hour in named if hour not in judged)
    if unknown:
        raise InvalidInput(
            f"the report judges no hour {', '.join(unknown)}; it judges {', '.join(judged)}"
        )
    excepted = {
        _name(outcome)
        for outcome in outcomes
        if any(_is_about(exception, outcome) for exception in exceptions)
    }
    made: dict[str, Mapping[str, str | None]] = {}
    for hour in judged:
        rule = decision
        if decision == "accept with exceptions" and hour not in excepted:
            rule = "accept"
        one = {"decision": rule, "promotion": None} | named.get(hour, {})
        if one["decision"] in _ACCEPTING:
            wanted = "accept with exceptions" if hour in excepted else "accept"
            if one["decision"] != wanted:
                raise InvalidInput(
                    f"hour {hour} is told {one['decision']!r}, and "
                    f"{'an' if hour in excepted else 'no'} exception is about it: {wanted!r}"
                )
        _check_promotion(hour, one, promotions)
        made[hour] = one
    return made


def _check_promotion(
    hour: str, one: Mapping[str, str | None], promotions: Mapping[str, Collection[str]]
) -> None:
    promotion = one["promotion"]
    if promotion is None:
        return
    _known(promotion, PROMOTIONS, "promotion class")
    met = promotions.get(hour, ())
    if promotion not in met:
        raise InvalidInput(
            f"hour {hour} cannot be {promotion}: the report says that its conditions are not met "
            f"(met: {', '.join(met) or 'none'})"
        )
    if one["decision"] not in _ACCEPTING:
        raise InvalidInput(f"hour {hour} is not accepted, so it has no promotion class")


def _hour(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        given = {"decision": given}
    if not isinstance(given, Mapping) or not set(given) <= {"decision", "promotion"}:
        raise InvalidInput(f"of an hour its decision and promotion are told, not {given!r}")
    if given.get("decision") is not None:
        _known(given["decision"], DECISIONS, "decision")
    return {name: value for name, value in given.items() if value is not None}


def _exception(given: Mapping[str, Any]) -> dict[str, str | None]:
    if not isinstance(given, Mapping) or not set(given) <= {"check", "hour", "key", "reason"}:
        raise InvalidInput(f"an exception has check, hour, key and reason; this is {given!r}")
    reason = str(given.get("reason") or "").strip()
    if not reason:
        raise InvalidInput(
            f"the exception for {_place(given)} has no reason: say in words why it is accepted"
        )
    key = given.get("key")
    return {
        "check": str(given.get("check") or ""),
        "hour": hour_name(given.get("hour")),
        "key": None if key is None else str(key),
        "reason": reason,
    }


def _is_about(given: Mapping[str, Any], outcome: Mapping[str, Any]) -> bool:
    """Whether an exception is about an outcome; without hour and key: about the night's own."""
    if given["check"] != outcome["check"] or outcome["word"] not in ("fail", "warn"):
        return False
    if given["hour"] is None and given["key"] is None:
        return outcome["hour"] is None
    hour_fits = given["hour"] in (None, _name(outcome))
    return hour_fits and given["key"] in (None, str(outcome.get("key")))


def _name(outcome: Mapping[str, Any]) -> str | None:
    return hour_name(outcome["hour"])


def _known(word: object, words: Sequence[str], noun: str) -> None:
    if word not in words:
        raise InvalidInput(f"{word!r} is no {noun}; there are {', '.join(words)}")


def _told(outcomes: Sequence[Mapping[str, Any]]) -> str:
    named = "; ".join(map(_place, outcomes[:_MOST_NAMED]))
    more = len(outcomes) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _place(one: Mapping[str, Any]) -> str:
    hour, key = one.get("hour"), one.get("key")
    where = " of the night" if hour is None else f" in hour {hour_name(hour)}"
    own = one.get("scope") in ("hour", "night")  # its key is the hour's or the night's name
    return f"{one.get('check')}{where}" + (f" ({key})" if key is not None and not own else "")
