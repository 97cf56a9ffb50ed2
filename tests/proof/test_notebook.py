"""A notebook proves its own numbers: what holds is the same, what moved or was edited is found."""

from __future__ import annotations

from .conftest import PARTS


def words(check):
    """The word of each part."""
    return {one.part: one.word for one in check.values}


async def test_what_a_kernel_saved_is_the_same(book, season, verify):
    """Parts shown by a real kernel, last in a cell or displayed, keep their proof and hold."""
    outputs = [output for cell in book.cells for output in cell.outputs]
    assert {o.output_type for o in outputs} == {"execute_result", "display_data"}
    assert all({"text/html", "text/plain"} == set(o.data) for o in outputs)
    check = await verify(book, season)
    assert words(check) == dict.fromkeys(PARTS, "same")
    assert check.exit_code == 0
    assert check.lines()[-1] == f"{len(PARTS)} same, 0 changed, 0 cannot tell, 0 no proof"
