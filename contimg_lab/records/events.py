"""Events: one thing that the pipeline did while somebody looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contimg_lab.records._fields import column, required

__all__ = ["KINDS", "Event"]

KINDS = (
    "job", "status", "image", "caltable", "photometry", "sign_off", "stale", "other", "many",
)  # fmt: skip
"""Every kind of event.

``job``: a run is new, is gone, or its rows changed while its status stayed; ``status``: the
status of a run changed; ``image`` and ``caltable``: one is new, changed or gone;
``photometry``: new measurements in an image; ``sign_off``: an entry came into the ledger;
``stale``: rows that a night was signed on are no longer as they were, or are again; ``other``:
the file was replaced, or something was committed that none of these tells; ``many``: more than
a slow reader could be told one by one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of the database; ``at`` is when it was noticed (UTC).

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from contimg_lab.records.events import Event
    >>> at = datetime(2025, 11, 7, 4, 5, tzinfo=UTC)
    >>> event = Event(
    ...     kind="status", key="/ms/a.ms", at=at, old="running", new="failed",
    ...     text="run of /ms/a.ms: running, now failed",
    ... )
    >>> event.kind, event.new
    ('status', 'failed')
    """

    kind: str = required(None, "one of KINDS")
    key: str = required(
        None,
        "path of the MS, image or cal table; of new measurements, their image; of a sign-off, the "
        "night; else empty",
    )
    at: datetime
    old: str | None = column(
        None, "status (image: type; sign-off: decision) before; None where it is new"
    )
    new: str | int | None = column(
        None,
        "status (image: type; sign-off: decision, or stale) now, None where it is gone; number of "
        "measurements",
    )
    text: str = required(None, "what happened, in words")
