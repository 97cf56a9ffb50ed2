"""The statistics of some sources, or of all, from wherever their epochs come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from contimg_lab.database import heartbeat
from contimg_lab.services._field import all_epochs, some_epochs
from contimg_lab.services._variability import Found, find

if TYPE_CHECKING:
    from contimg_lab.services._context import Context
    from contimg_lab.services._epochs import Epochs

__all__ = ["find_some"]


async def find_some(
    context: Context,
    source_ids: Sequence[str] | None,
    *,
    flux_scale: bool,
    intrinsic: bool,
    max_age_s: float = 0.0,
) -> tuple[Found, datetime]:
    """Find the statistics of some sources, or of all (None), and of when they are (UTC)."""
    now = datetime.now(UTC)
    # an image's scale rests on the whole field, whatever sources are asked for
    if source_ids is not None and not flux_scale:
        epochs = await some_epochs(context, source_ids)
        work = partial(find, flux_scale=False, intrinsic=intrinsic, field=False)
        with heartbeat():
            return await asyncio.to_thread(work, epochs), now
    epochs, as_of = await all_epochs(context, max_age_s)
    found = await _find_all(context, epochs, flux_scale, intrinsic and source_ids is None)
    if source_ids is not None:
        found = await asyncio.to_thread(found.only, source_ids, intrinsic=intrinsic)
    return found, as_of or now


async def _find_all(context: Context, epochs: Epochs, flux_scale: bool, intrinsic: bool) -> Found:
    # what was found is kept while the epochs are the same: table and candidates share it
    key = (flux_scale, intrinsic)
    known = context.found.get(key)
    if known is not None and known.epochs is epochs:
        return known
    work = partial(find, flux_scale=flux_scale, intrinsic=intrinsic)
    with heartbeat():
        found = await asyncio.to_thread(work, epochs)
    context.found.clear()
    context.found[key] = found
    return found
