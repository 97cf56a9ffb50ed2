"""Limits that a night is judged by: named sets in one file, each value with its source.

A site's own file (``CONTIMG_LAB_THRESHOLDS``) replaces values by name. Nothing is read at import.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from contimg_lab.config import Config
from contimg_lab.errors import ConfigError

__all__ = [
    "DEFAULT_SET",
    "Threshold",
    "Thresholds",
    "packaged_thresholds",
    "read_reviewers",
    "read_thresholds",
    "threshold_sets",
]

DEFAULT_SET = "dsa110"
"""The set that names every threshold; others begin with it."""

_PACKAGED = "thresholds.toml of the package"
_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit.

    Attributes
    ----------
    value
        The number, in ``unit``.
    unit
        "1" for a number without one.
    source
        Whose limit it is.
    """

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A named set of limits.

    Attributes
    ----------
    name
        Of the set.
    limits
        By ``check.limit``.
    origin
        File that the set was read from: the package's, or a site's on top of it.

    Examples
    --------
    >>> limits = packaged_thresholds()
    >>> limits["flux_ratio.low"], limits.of("beam")
    (0.8, {'warn': 2.0, 'fail': 3.0})
    """

    name: str
    limits: Mapping[str, Threshold]
    origin: str

    def __getitem__(self, name: str) -> float:
        return self.limits[name].value

    def of(self, check: str) -> dict[str, float]:
        """Return the values of one check by their short names."""
        start = f"{check}."
        return {n[len(start) :]: t.value for n, t in self.limits.items() if n.startswith(start)}

    @property
    def values(self) -> dict[str, float]:
        """Values by name: what the digest is of, and what a ledger keeps."""
        return {name: self.limits[name].value for name in sorted(self.limits)}

    @property
    def digest(self) -> str:
        """SHA-256 of the values as JSON (keys sorted, no spaces, ASCII), in hex."""
        text = json.dumps(self.values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def replaced(self, values: Mapping[str, float], *, origin: str) -> Thresholds:
        """Return the set with other values, for running a recorded set once more.

        Raises
        ------
        ConfigError
            A name that this version has no threshold of.
        """
        held = dict(self.limits)
        for name, value in values.items():
            if name not in held:
                raise ConfigError(f"{origin}: this version has no threshold {name!r}")
            if float(value) != held[name].value:
                held[name] = Threshold(float(value), held[name].unit, origin)
        return Thresholds(self.name, MappingProxyType(held), origin)


@functools.cache
def packaged_thresholds(name: str = DEFAULT_SET) -> Thresholds:
    """Return a set of the package, without any site's values."""
    return _chosen(*_sets(None), name)


def read_thresholds(config: Config, name: str | None = None) -> Thresholds:
    """Return the set that a site judges by.

    Parameters
    ----------
    config
        Names the site's own file, where there is one.
    name
        Of the set; None: the file's own default.

    Raises
    ------
    ConfigError
        The site's file cannot be read, holds a name that is unknown or a value that is no
        number; or there is no set of that name.
    """
    sets, default, origin = _sets(config.thresholds)
    return _chosen(sets, default, origin, name)


def threshold_sets(config: Config) -> dict[str, str]:
    """Return what each set is, in words, by name; the default comes first."""
    sets, default, _ = _sets(config.thresholds)
    return {name: sets[name][0] for name in sorted(sets, key=lambda n: (n != default, n))}


def read_reviewers(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the public keys (Ed25519, hex) of each reviewer that a site lists, by name.

    Raises
    ------
    ConfigError
        As for `read_thresholds`; also a reviewer without a name, or a key that is none.
    """
    listed: dict[str, tuple[str, ...]] = {}
    for text, origin in _files(config.thresholds):
        for one in _list(text.get("reviewers", []), f"{origin}: reviewers"):
            name, keys = one.get("name"), one.get("public_keys", [])
            if not isinstance(name, str) or not name.strip() or set(one) - {"name", "public_keys"}:
                raise ConfigError(f"{origin}: a reviewer is name and public_keys, not {one!r}")
            if not isinstance(keys, list) or not all(
                isinstance(key, str) and _KEY.fullmatch(key) for key in keys
            ):
                raise ConfigError(f"{origin}: public_keys of {name!r} are not 64 hex digits each")
            listed[name] = tuple(keys)
    return listed


_Sets = dict[str, tuple[str, dict[str, Threshold]]]


def _chosen(sets: _Sets, default: str, origin: str, name: str | None) -> Thresholds:
    wanted = default if name is None else name
    if wanted not in sets:
        raise ConfigError(f"no set of thresholds {wanted!r}; there are {', '.join(sorted(sets))}")
    return Thresholds(wanted, MappingProxyType(sets[wanted][1]), origin)


def _sets(site: Path | None) -> tuple[_Sets, str, str]:
    """Every set, the name of the default one, and where they are from."""
    sets: _Sets = {}
    default, origins = DEFAULT_SET, []
    for text, origin in _files(site):
        origins.append(origin)
        unknown = set(text) - {"default", "sets", "reviewers"}
        if unknown:
            raise ConfigError(f"{origin}: unknown {min(unknown)!r} (default, sets, reviewers)")
        for name, held in _object(text.get("sets", {}), f"{origin}: sets").items():
            sets[name] = _merged(sets, name, _object(held, f"{origin}: set {name}"), origin)
        default = text.get("default", default)
        if not isinstance(default, str) or default not in sets:
            raise ConfigError(f"{origin}: the default {default!r} is no set of it")
    return sets, default, " with ".join(origins)


def _merged(
    sets: _Sets, name: str, held: Mapping[str, Any], origin: str
) -> tuple[str, dict[str, Threshold]]:
    """One set with the values of a file put over those of the same set, or of its base."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{origin}: {name!r} cannot name a set (letters, digits, _ . -)")
    held = dict(held)
    about, base = held.pop("about", None), held.pop("base", None)
    if name not in sets and base is None and sets:
        raise ConfigError(f"{origin}: the new set {name!r} names no base; try base = 'dsa110'")
    if base is not None and base not in sets:
        raise ConfigError(f"{origin}: the base {base!r} of set {name!r} is not known before it")
    old_about, old = sets.get(base if base is not None else name, ("", {}))
    limits = dict(old)
    for check, values in held.items():
        for short, given in _object(values, f"{origin}: {name}.{check}").items():
            limit = f"{check}.{short}"
            if sets and limit not in old:
                raise ConfigError(f"{origin}: set {name!r} has no threshold {limit!r}")
            limits[limit] = _threshold(given, old.get(limit), f"{origin}: {name}.{limit}")
    return (about if isinstance(about, str) else old_about), limits


def _threshold(given: Any, old: Threshold | None, where: str) -> Threshold:
    told = _object(given, where)
    value, source = told.get("value"), told.get("source")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(f"{where}: value {value!r} is no finite number")
    if not isinstance(source, str) or not source.strip():
        raise ConfigError(f"{where}: no source; say whose limit it is")
    unit = told.get("unit", "1" if old is None else old.unit)
    if old is not None and unit != old.unit:
        raise ConfigError(f"{where}: the unit is {old.unit!r}, not {unit!r}")
    if set(told) - {"value", "unit", "source"}:
        raise ConfigError(f"{where}: unknown {min(set(told) - {'value', 'unit', 'source'})!r}")
    return Threshold(float(value), unit, source)


def _files(site: Path | None) -> list[tuple[dict[str, Any], str]]:
    text = resources.files("contimg_lab").joinpath("thresholds.toml").read_text("utf-8")
    read = [(tomllib.loads(text), _PACKAGED)]
    if site is not None:
        try:
            read.append((tomllib.loads(site.read_text("utf-8")), str(site)))
        except (OSError, ValueError) as error:  # bad TOML and bad UTF-8 are ValueErrors
            raise ConfigError(f"CONTIMG_LAB_THRESHOLDS {str(site)!r}: {error}") from error
    return read


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is no table of TOML but {value!r}")
    return value


def _list(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: one [[reviewers]] each, not {value!r}")
    return [_object(one, where) for one in value]
