"""Where epochs come from: the store where it is current, else SQL; the answer is the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from contimg_lab.errors import InvalidInput
from contimg_lab.services._epochs import Epochs, read_epochs

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["all_epochs", "one_epochs", "some_epochs"]


async def one_epochs(context: Context, source_id: str) -> tuple[Epochs, int] | None:
    """Return epochs among which those of one source are, and its position; None: no such."""
    epochs = await context.store.current()
    if epochs is None and not (await context.database.table("photometry")).indexed("source_id"):
        # without an index SQL would read the whole table for this one source
        found = await context.store.fresh()
        epochs = found[0] if found is not None else None
    if epochs is None:
        epochs = await context.batch.get(source_id)
    place = epochs.places.get(source_id)
    return None if place is None else (epochs, place)


async def some_epochs(context: Context, source_ids: Sequence[str]) -> Epochs:
    """Return the epochs of some sources, those that there are, in order of their names."""
    epochs = await context.store.current()
    if epochs is not None:
        return epochs.only(source_ids)
    return await read_epochs(context, source_ids)


async def all_epochs(context: Context, max_age_s: float = 0.0) -> tuple[Epochs, datetime | None]:
    """Return the epochs of every source, and when they were current (None: now).

    Parameters
    ----------
    max_age_s
        A state of the store that was current at most so many seconds ago will do.

    Raises
    ------
    InvalidInput
        It is no number of seconds from 0 up.
    """
    if not isinstance(max_age_s, (int, float)) or not 0.0 <= max_age_s < 1e9:
        raise InvalidInput(f"max_age_s {max_age_s!r} is no number of seconds from 0 up")
    found = await context.store.fresh(max_age_s)
    if found is None:
        return await read_epochs(context, None), None
    return found
