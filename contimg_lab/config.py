"""Settings: one frozen object, read from the environment when a database is opened.

Nothing is read at import, so a variable that a notebook or a test sets later is seen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from contimg_lab.errors import ConfigError

__all__ = ["Config", "ledger_path", "read_config"]

_DEFAULT_TIMEOUT_S = 30.0
_DEFAULT_LOG_ZONE = "America/Los_Angeles"
_DEFAULT_STORE_MB = 1024.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What was asked for, and where each value came from.

    Attributes
    ----------
    path
        What was given to ``open``: a folder or a file; None means the environment decides.
    pipeline_db, products_db, cal_registry_db, state_dir
        ``PIPELINE_DB``, ``PIPELINE_PRODUCTS_DB``, ``PIPELINE_CAL_REGISTRY_DB`` and
        ``PIPELINE_STATE_DIR``, or None.
    timeout_s
        Seconds to wait for a locked file (``DB_CONNECTION_TIMEOUT``).
    ms_roots, image_roots
        Folders in which MS and FITS files may be opened; none by default.
    season_folder
        Folder of the built-in season, whose images are made when they are asked for, or of a
        season opened by its path that has them; None: neither.
    log_roots
        Folders in which log files may be opened; None means ``logs/`` beside the database
        and in the state folder.
    log_zone
        Zone of log lines that carry none (``CONTIMG_LAB_LOG_ZONE``).
    ledger
        Our own file of sign-offs (``CONTIMG_LAB_LEDGER``), or None for the default place.
    store_mb
        Most memory for the store of epochs, megabytes (``CONTIMG_LAB_STORE_MB``); 0: none.
    thresholds
        The site's own limits of checks (``CONTIMG_LAB_THRESHOLDS``), or None for the package's.
    origin
        For each setting where its value came from: an argument, a variable, or the default.
    """

    path: Path | None = None
    pipeline_db: Path | None = None
    products_db: Path | None = None
    cal_registry_db: Path | None = None
    state_dir: Path | None = None
    timeout_s: float = _DEFAULT_TIMEOUT_S
    ms_roots: tuple[Path, ...] = ()
    log_roots: tuple[Path, ...] | None = None
    image_roots: tuple[Path, ...] = ()
    season_folder: Path | None = None
    log_zone: str = _DEFAULT_LOG_ZONE
    ledger: Path | None = None
    store_mb: float = _DEFAULT_STORE_MB
    thresholds: Path | None = None
    origin: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        rows = [
            f"  {name} = {getattr(self, name)!s}  ({self.origin[name]})" for name in self.origin
        ]
        return "\n".join(["Config", *rows])


def read_config(
    path: str | os.PathLike[str] | None = None,
    *,
    ledger: str | os.PathLike[str] | None = None,
    store_mb: float | None = None,
    season_folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read every setting now.

    Parameters
    ----------
    path
        A folder or a database file; wins over the environment.
    ledger
        Our own file of sign-offs; wins over the environment.
    store_mb
        Most memory for the store of epochs, megabytes; wins over the environment.
    season_folder
        Folder of the built-in season, where that is what is opened.
    environ
        Variables to read instead of the process's own.

    Raises
    ------
    ConfigError
        A variable holds something that cannot be used.
    """
    env = os.environ if environ is None else environ
    values: dict[str, object] = {}
    origin: dict[str, str] = {}

    def put(name: str, value: object, where: str) -> None:
        values[name] = value
        origin[name] = where

    if path is None:
        put("path", None, "not given")
    else:
        put("path", _path(path, "the argument"), "argument")
    for name, variable in (
        ("pipeline_db", "PIPELINE_DB"),
        ("products_db", "PIPELINE_PRODUCTS_DB"),
        ("cal_registry_db", "PIPELINE_CAL_REGISTRY_DB"),
        ("state_dir", "PIPELINE_STATE_DIR"),
    ):
        text = env.get(variable, "")
        put(name, _path(text, variable) if text else None, variable if text else "not set")
    text = env.get("DB_CONNECTION_TIMEOUT", "")
    if text:
        put("timeout_s", _seconds(text), "DB_CONNECTION_TIMEOUT")
    else:
        put("timeout_s", _DEFAULT_TIMEOUT_S, "default")
    for name, variable, default in (
        ("ms_roots", "DSA110_ALLOWED_MS_ROOTS", ()),
        ("log_roots", "DSA110_ALLOWED_LOG_ROOTS", None),
        ("image_roots", "CONTIMG_LAB_IMAGE_ROOTS", ()),
    ):
        text = env.get(variable, "")
        put(name, _folders(text, variable) if text else default, variable if text else "default")
    put("season_folder", season_folder, "argument" if season_folder else "not given")
    zone = env.get("CONTIMG_LAB_LOG_ZONE", "")
    put("log_zone", _zone(zone or _DEFAULT_LOG_ZONE), "CONTIMG_LAB_LOG_ZONE" if zone else "default")
    if ledger is not None:
        put("ledger", _path(ledger, "the argument ledger"), "argument")
    else:
        text = env.get("CONTIMG_LAB_LEDGER", "")
        put(
            "ledger",
            _path(text, "CONTIMG_LAB_LEDGER") if text else None,
            "CONTIMG_LAB_LEDGER" if text else "default",
        )
    if store_mb is not None:
        put("store_mb", _megabytes(str(store_mb), "the argument store_mb"), "argument")
    else:
        text = env.get("CONTIMG_LAB_STORE_MB", "")
        if text:
            put("store_mb", _megabytes(text, "CONTIMG_LAB_STORE_MB"), "CONTIMG_LAB_STORE_MB")
        else:
            put("store_mb", _DEFAULT_STORE_MB, "default")
    text = env.get("CONTIMG_LAB_THRESHOLDS", "")
    put(
        "thresholds",
        _path(text, "CONTIMG_LAB_THRESHOLDS") if text else None,
        "CONTIMG_LAB_THRESHOLDS" if text else "default",
    )
    return Config(**values, origin=MappingProxyType(origin))  # type: ignore[arg-type]


def ledger_path(config: Config) -> Path:
    """Where the ledger of sign-offs lies, whether it is there or not."""
    if config.ledger is not None:
        return config.ledger
    from platformdirs import user_data_path

    return user_data_path("contimg_lab", appauthor=False) / "ledger.sqlite3"


def _megabytes(text: str, named_by: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e7:
        raise ConfigError(f"{named_by} {text!r} is no number of megabytes (default 1024; 0: off)")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e6:
        raise ConfigError(f"DB_CONNECTION_TIMEOUT={text!r} is no number of seconds (default 30)")
    return value


def _path(given: object, named_by: str) -> Path:
    if not isinstance(given, (str, os.PathLike)):
        raise ConfigError(f"{named_by} {given!r} is no path")
    try:
        # made absolute once: a later change of folder must not lead to another database
        path = Path(given).expanduser().absolute()
        path.exists()
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(f"{named_by} {str(given)[:200]!r} cannot be a path: {error}") from error
    return path


def _folders(text: str, named_by: str) -> tuple[Path, ...]:
    return tuple(_path(part.strip(), named_by) for part in text.split(",") if part.strip())


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ConfigError(
            f"CONTIMG_LAB_LOG_ZONE={name!r} is no time zone (try America/Los_Angeles or UTC)"
        ) from error
    return name
