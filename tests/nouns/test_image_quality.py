"""Images with what was measured in them: every row, its time, its sources, its flux ratio."""

from __future__ import annotations

import math
from collections import Counter

import pandas as pd
import pytest

import contimg_lab as cl
from contimg_lab import errors


async def test_every_image_is_there_once_in_order_of_time(lab: cl.Lab) -> None:
    """Each image must have one row with its own figures, and the middle of its MS."""
    found = await lab.images.quality()
    stored = (await lab.images.table()).set_index("id")
    assert sorted(found["id"]) == sorted(stored.index)
    mid = found["mid_mjd"].astype("float64")
    assert mid.dropna().is_monotonic_increasing
    assert mid.isna().sum() == mid.tail(int(mid.isna().sum())).isna().sum()
    mids = (await lab.ms.table()).set_index("path")["mid_mjd"]
    for row in found.sample(20, random_state=1).to_dict("records"):
        assert row["path"] == stored.loc[row["id"], "path"]
        assert row["mid_mjd"] == mids[row["ms_path"]]
    noise = stored["noise_jy"].loc[found["id"]].reset_index(drop=True)
    pd.testing.assert_series_equal(
        found["noise_jy"], noise.where((noise > 0.0) & (noise < math.inf), pd.NA)
    )


async def test_sources_are_those_whose_curves_use_the_image(demo: cl.Lab) -> None:
    """The number of sources of an image must be that of the light curves that use it."""
    names = (await demo.sources.table())["source_id"]
    curves = await demo.sources.light_curves(list(names))
    used = Counter(path for curve in curves.values() for path in set(curve.image_path))
    found = await demo.images.quality()
    assert dict(zip(found["path"], found["n_sources"], strict=True)) == {
        path: used[path] for path in found["path"]
    }


async def test_flux_ratios_are_those_of_the_tiles(lab: cl.Lab) -> None:
    """Where each tile is measured in one image, its ratio must be that image's."""
    tiles = await lab.images.trends()
    found = await lab.images.quality()
    some = found.dropna(subset=["flux_ratio"])
    once = some[~some["ms_path"].duplicated(keep=False)].set_index("ms_path")
    told = tiles.dropna(subset=["flux_ratio"]).set_index("ms_path")
    both = once.index.intersection(told.index)
    assert len(both) == len(told)
    for name in ("flux_ratio", "flux_ratio_mad", "flux_ratio_n"):
        assert once.loc[both, name].tolist() == told.loc[both, name].tolist()
    without = found[found["flux_ratio"].isna()]
    assert (without["flux_ratio_reason"].str.len() > 0).all()


async def test_filters_hold_together(demo: cl.Lab) -> None:
    """Night, type and text must each narrow the table to the rows that have them."""
    every = await demo.images.quality()
    night = await demo.last_night()
    some = await demo.images.quality(night=night, type="pbcor", text="T05:")
    wanted = every[
        (every["night"] == night) & (every["type"] == "pbcor") & every["path"].str.contains("T05:")
    ]
    assert some["id"].tolist() == wanted["id"].tolist()
    assert len(some)
    upper = await demo.images.quality(night=night, type="pbcor", text="t05:")
    assert upper["id"].tolist() == some["id"].tolist()
    none = await demo.images.quality(text="no path holds this")
    assert list(none.columns) == list(every.columns)
    assert none.empty
    with pytest.raises(errors.InvalidInput, match="YYYY-MM-DD"):
        await demo.images.quality(night="yesterday")


async def test_photometry_is_left_alone_where_it_is_not_asked_for(demo: cl.Lab) -> None:
    """Without photometry its columns must be missing, not zero, and that be said."""
    found = await demo.images.quality(night=await demo.last_night(), photometry=False)
    assert found[["flux_ratio", "flux_ratio_n", "n_sources"]].isna().all(axis=None)
    assert set(found["flux_ratio_reason"]) == {"not looked up"}
    assert demo.status().store.state == "none"
