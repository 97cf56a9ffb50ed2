"""Many callers, one query: nobody gets another's answer, an older one, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.services._batch import Batch


@given(
    keys=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40),
    cancelled=st.sets(st.integers(0, 39)),
    most=st.integers(1, 8),
)
def test_each_caller_gets_a_read_that_holds_its_key(
    keys: list[str], cancelled: set[int], most: int
) -> None:
    """Every caller that stays gets a read that holds its key and began after it asked."""
    reads: list[tuple[int, Sequence[str]]] = []
    clock = 0

    async def read(some: Sequence[str]) -> tuple[int, Sequence[str]]:
        reads.append((clock, some))
        assert len(some) <= most
        await asyncio.sleep(0)
        return reads[-1]

    async def main() -> None:
        nonlocal clock
        batch = Batch(read, most=most)

        async def ask(key: str) -> None:
            asked = clock
            began, held = await batch.get(key)
            assert key in held
            assert began >= asked

        callers = []
        for i, key in enumerate(keys):
            clock += 1
            callers.append(asyncio.ensure_future(ask(key)))
            if i % 3 == 0:
                await asyncio.sleep(0)
            if i in cancelled:
                callers[-1].cancel()
        done = await asyncio.wait_for(asyncio.gather(*callers, return_exceptions=True), 5)
        for i, result in enumerate(done):
            allowed = isinstance(result, asyncio.CancelledError) and i in cancelled
            assert result is None or allowed

    asyncio.run(main())


async def test_a_read_that_nobody_waits_for_is_cancelled() -> None:
    """When the last of its callers is cancelled so is the read, and the next one is served."""
    ended: list[str] = []

    async def read(some: Sequence[str]) -> list[str]:
        try:
            await asyncio.sleep(30 if "slow" in some else 0)
        except asyncio.CancelledError:
            ended.extend(some)
            raise
        return list(some)

    batch = Batch(read)
    callers = [asyncio.ensure_future(batch.get("slow")) for _ in range(3)]
    await asyncio.sleep(0.01)
    for caller in callers[:2]:
        caller.cancel()
    await asyncio.sleep(0.01)
    assert ended == []
    callers[2].cancel()
    assert await asyncio.wait_for(batch.get("quick"), 5) == ["quick"]
    assert ended == ["slow"]


async def test_an_error_is_told_to_every_caller() -> None:
    """Where a read fails, each of its callers hears of it."""

    async def read(some: Sequence[str]) -> list[str]:
        await asyncio.sleep(0)
        raise ValueError(",".join(some))

    batch = Batch(read)
    for result in await asyncio.gather(*(batch.get(k) for k in "ab"), return_exceptions=True):
        assert isinstance(result, ValueError)
    with pytest.raises(ValueError, match="c"):
        await batch.get("c")
