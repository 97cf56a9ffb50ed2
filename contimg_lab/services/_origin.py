"""Where exported numbers come from: database, time, version, call and parameters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import platform
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services._context import Context

__all__ = ["Origin", "now_utc", "origin_of", "plain", "versions", "with_origin"]

_NOT_RECORDED = "not recorded"
_MOST_NAMES = 20

_identities: WeakKeyDictionary[Context, tuple[object, str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where numbers come from, enough to find them again.

    Attributes
    ----------
    database
        Identity of the database (SHA-256): the same while it grows and when it is copied.
    layout
        ``unified`` or ``split``.
    files
        Names of its files, with commas between: never the folders of a machine.
    version
        Version of contimg_lab.
    read_at
        When the numbers were read, ISO 8601 (UTC).
    call
        What was asked, such as ``sources.variability``.
    parameters
        Its arguments, as JSON; of more than 20 names their number and SHA-256.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     table = lab.sources.variability()
    >>> table.attrs["provenance"]["call"]
    'sources.variability'
    """

    database: str = _NOT_RECORDED
    layout: str = _NOT_RECORDED
    files: str = _NOT_RECORDED
    version: str = _NOT_RECORDED
    read_at: str = _NOT_RECORDED
    call: str = _NOT_RECORDED
    parameters: str = "{}"

    def told(self) -> dict[str, str]:
        """Return the parts by name, as they stand in ``attrs["provenance"]``."""
        return dataclasses.asdict(self)

    def line(self, when: str | None = None) -> str:
        """Say it in one line, as for a paper's data statement.

        Parameters
        ----------
        when
            Time to name, ISO 8601 (UTC); None: when the numbers were read.
        """
        known = self.database != _NOT_RECORDED
        database = f"database {self.database[:12] if known else _NOT_RECORDED}"
        return f"contimg_lab {self.version}, {database}, {when or self.read_at}, {self._asked()}"

    def asked(self, **parameters: object) -> Origin:
        """Return the same origin of other arguments."""
        return dataclasses.replace(self, parameters=_told_parameters(parameters))

    @classmethod
    def from_mapping(cls, told: Mapping[str, object] | None) -> Origin:
        """Make it again of what `told` returned; what is missing is "not recorded"."""
        names = {f.name for f in dataclasses.fields(cls)}
        return cls(**{k: str(v) for k, v in (told or {}).items() if k in names})

    def _asked(self) -> str:
        try:
            arguments = json.loads(self.parameters)
            told = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        except (ValueError, AttributeError):
            told = self.parameters
        return f"{self.call}({told})" if self.call != _NOT_RECORDED else f"call {_NOT_RECORDED}"


async def origin_of(context: Context, call: str, **parameters: object) -> Origin:
    """Describe what a call of a service reads now."""
    from contimg_lab import __version__

    database = context.database
    token = await database.token()
    openings = database.openings(token)
    known = _identities.get(context)
    if known is None or known[0] not in (token, openings):
        identity, lasting = await context.read_identity()
        # what growth cannot change is not read again after each commit
        known = _identities[context] = (openings if lasting else token, identity)
    return Origin(
        database=known[1],
        layout=database.layout.name,
        files=", ".join(path.name for path in database.layout.files.values()),
        version=__version__,
        read_at=now_utc(),
        call=call,
        parameters=_told_parameters(parameters),
    )


async def with_origin(
    context: Context, made: pd.DataFrame, call: str, **parameters: object
) -> pd.DataFrame:
    """Add to a DataFrame where it comes from, in ``attrs["provenance"]``; returns it."""
    given = {name: value for name, value in parameters.items() if value is not None}
    made.attrs["provenance"] = (await origin_of(context, call, **given)).told()
    return made


def now_utc() -> str:
    """Time now, ISO 8601 to the second, with Z for UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, str]:
    """Versions of what numbers depend on: this package, Python, numpy, astropy and SQLite."""
    from importlib import metadata

    from contimg_lab import __version__

    return {
        "contimg_lab": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: metadata.version(name) for name in ("astropy", "numpy")},
    }


def plain(value: Any) -> Any:
    """Make of any value what JSON and YAML hold: None, bool, int, float, str, list or dict.

    A number that is not finite becomes None.
    """
    if hasattr(value, "tolist"):  # of numpy: a scalar or an array
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(v) for v in value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return str(value)


def _told_parameters(parameters: Mapping[str, object]) -> str:
    return json.dumps({name: _short(value) for name, value in sorted(parameters.items())})


def _short(value: object) -> Any:
    if isinstance(value, Collection) and not isinstance(value, (str, bytes, Mapping)):
        if len(value) <= _MOST_NAMES:
            return plain(value)
        ordered = sorted(str(v) for v in value)
        text = "\n".join(ordered).encode("utf-8", "surrogatepass")
        return f"{len(ordered)} values, SHA-256 {hashlib.sha256(text).hexdigest()[:12]}"
    return plain(value)
