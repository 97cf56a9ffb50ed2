"""Whole columns of a table: the same values whatever their number, and none of a wrong kind."""

from __future__ import annotations

import numpy as np
import pytest

from contimg_lab.records._fields import kinds
from contimg_lab.records.images import Image
from contimg_lab.repositories._base import _columns

NAMES = ("id", "path", "noise_jy", "beam_pa_deg")
ROW = {
    0: (1, "/a.fits", 0.5),
    1: (1, b"/b\xff.fits", "text"),
    2: (1, None, None),
    3: (1, 7, b"blob"),
    4: (1, "/c.fits", float("inf")),
}
TOLD = {
    0: ("/a.fits", 0.5),
    1: ("/b\ufffd.fits", np.nan),
    2: (None, np.nan),
    3: ("7", np.nan),
    4: ("/c.fits", np.inf),
}


@pytest.mark.parametrize("n", [0, 1, 1999, 2000, 2001, 4500])
def test_every_row_is_in_its_place(n: int) -> None:
    """Each value must stand in its row; text in a number's column and what is absent are NaN."""
    rows = [(1, i, *ROW[i % 5][1:]) for i in range(n)]
    found = _columns(kinds(Image), NAMES, ("id", "path", "noise_jy"), rows)
    assert list(found) == list(NAMES)
    np.testing.assert_array_equal(found["id"], np.arange(n, dtype=float))
    assert found["path"].tolist() == [TOLD[i % 5][0] for i in range(n)]
    np.testing.assert_array_equal(found["noise_jy"], [TOLD[i % 5][1] for i in range(n)])
    assert found["beam_pa_deg"].shape == (n,)
    assert np.isnan(found["beam_pa_deg"]).all()
