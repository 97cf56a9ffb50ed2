"""The one error tree: every error that contimg_lab raises on purpose.

::

    ContimgLabError
    ├── ConfigError                a setting that cannot be used
    ├── DatabaseError              a database file that cannot be read as asked
    │   ├── DatabaseNotFound       nothing at that path
    │   ├── NotADatabase           empty, truncated, damaged or no SQLite file at all
    │   ├── UnknownLayout          SQLite, but not the pipeline's
    │   └── DatabaseBusy           locked for longer than the time-out
    ├── NotFound                   no such job, MS, cal table, image, source or night
    ├── InvalidInput               an argument that cannot mean anything
    │   └── ForbiddenPath          a path outside the allowed roots
    ├── AbsentFeature              this database has no such table or column, or no such file
    ├── DamagedFile                an image file that cannot be read as what it should be
    ├── LedgerError                a ledger that cannot be read or written as asked
    │   ├── LedgerBusy             locked for longer than the time-out
    │   ├── LedgerFull             no room on the disk
    │   ├── LedgerReadOnly         a file or folder that may not be written to
    │   ├── NewerLedger            written by a later version
    │   └── NotALedger             another file, the pipeline's own among them, or a damaged one
    ├── StaleReport                rows changed since a report was made: not to be signed
    ├── SigningKeyError            a signing key that is not there or cannot be used
    └── Closed                     the Lab was closed before the call

A message names the file or the field and the way out, in that order.
"""

from __future__ import annotations

__all__ = [
    "AbsentFeature",
    "Closed",
    "ConfigError",
    "ContimgLabError",
    "DamagedFile",
    "DatabaseBusy",
    "DatabaseError",
    "DatabaseNotFound",
    "ForbiddenPath",
    "InvalidInput",
    "LedgerBusy",
    "LedgerError",
    "LedgerFull",
    "LedgerReadOnly",
    "NewerLedger",
    "NotADatabase",
    "NotALedger",
    "NotFound",
    "SigningKeyError",
    "StaleReport",
    "UnknownLayout",
]


class ContimgLabError(Exception):
    """Parent of every error that contimg_lab raises on purpose."""


class ConfigError(ContimgLabError):
    """A setting (environment variable or argument) cannot be used."""


class DatabaseError(ContimgLabError):
    """A database file cannot be read as asked."""


class DatabaseNotFound(DatabaseError):
    """There is no database file where one was named or looked for."""


class NotADatabase(DatabaseError):
    """The file is empty, truncated, damaged or not SQLite at all."""


class UnknownLayout(DatabaseError):
    """The file is SQLite but holds none of the pipeline's tables."""


class DatabaseBusy(DatabaseError):
    """The file stayed locked for longer than ``DB_CONNECTION_TIMEOUT``."""


class NotFound(ContimgLabError):
    """No record has this key.

    Attributes
    ----------
    noun, key
        What was looked for, and the key that no record has.
    """

    def __init__(self, noun: str, key: object, hint: str = "") -> None:
        self.noun = noun
        self.key = key
        tail = f"; {hint}" if hint else ""
        super().__init__(f"no {noun} {key!r} in this database{tail}")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_not_found, (self.noun, self.key, str(self)))


class InvalidInput(ContimgLabError, ValueError):
    """An argument cannot mean anything: a bad date, a negative limit, an unknown status."""


class ForbiddenPath(InvalidInput):
    """A path lies outside the folders from which files may be opened."""


class AbsentFeature(ContimgLabError):
    """This site has no such table, column or file: a known absence, not a zero."""


class DamagedFile(ContimgLabError):
    """A file beside the database is there but cannot be read as what it should be."""


class LedgerError(ContimgLabError):
    """The ledger cannot be read or written as asked; nothing was written to it."""


class LedgerBusy(LedgerError):
    """Somebody else held the ledger for longer than the time-out."""


class LedgerFull(LedgerError):
    """The disk has no room for the entry."""


class LedgerReadOnly(LedgerError):
    """The ledger's file or folder may not be written to."""


class NewerLedger(LedgerError):
    """The ledger was written by a later version, whose format this one does not know."""


class NotALedger(LedgerError):
    """The file is something else, the pipeline's own database for one, or a damaged ledger."""


class SigningKeyError(ContimgLabError):
    """A signing key is not there, is not private, or is no Ed25519 key."""


class StaleReport(ContimgLabError):
    """Rows that a report was computed from have changed since; make it again, and look."""


class Closed(ContimgLabError):
    """The Lab was closed before the call; open it again."""


def _rebuild_not_found(noun: str, key: object, message: str) -> NotFound:
    error = NotFound(noun, key)
    error.args = (message,)
    return error
