"""What the rules find in a season whose truth is known, and what they find where it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import contimg_lab as cl
from contimg_lab.demo import read_truth

RULES = ("eta_v", "conservative", "moderate", "sensitive", "two_epoch")
CLASSES = ((0.0, 0.05, "below 50 mJy"), (0.05, 0.2, "50 to 200 mJy"), (0.2, 1.0, "0.2 to 1 Jy"))


def groups(folder: Path) -> dict[str, str]:
    """Kind of each planted variable, class of flux of each constant source."""
    truth = read_truth(folder)
    found = {
        source.source_id: f"{source.kind}{' (marginal)' if source.marginal else ''}"
        for source in truth.variables
    }
    for source in truth.constants:
        named = [name for low, high, name in CLASSES if low <= source.mean_flux_jy < high]
        found[source.source_id] = f"constant {(named or ['above 1 Jy'])[0]}"
    return found


async def recovered(folder: Path, *, flux_scale: bool) -> pd.DataFrame:
    """Sources selected by each rule, by group, with the number planted."""
    group = groups(folder)
    async with cl.open(folder) as lab:
        table = await lab.sources.candidates(flux_scale=flux_scale)
    chosen = table[list(RULES)].eq(True)
    counted = chosen.groupby([group[name] for name in table.index]).sum()
    counted.insert(0, "planted", pd.Series(Counter(group.values())))
    return counted


@pytest.mark.parametrize("untidy", [False, True])
async def test_strong_variables_are_found_and_constants_left(
    season_folder: Callable[..., Path], untidy: bool
) -> None:
    """With the flux scale corrected, the two-epoch rule finds each strong kind and few others."""
    folder = season_folder(untidy=untidy)
    before = await recovered(folder, flux_scale=False)
    after = await recovered(folder, flux_scale=True)
    print(f"\nas recorded\n{before.to_string()}\nflux scale corrected\n{after.to_string()}")
    strong = [name for name in after.index if "constant" not in name and "marginal" not in name]
    assert set(strong) == {"ese", "flare", "periodic", "transient", "trend"}
    assert (after.loc[strong, "two_epoch"] == after.loc[strong, "planted"]).all()
    constant = after[after.index.str.startswith("constant")]
    assert constant["two_epoch"].sum() <= 8
    assert constant["sensitive"].sum() <= before.filter(like="constant", axis=0)["sensitive"].sum()


async def test_candidates_where_nobody_knows_the_truth(lab: cl.Lab) -> None:
    """On each kind of database candidates() names its rules, and as many sources as there are."""
    table = await lab.sources.candidates()
    counts = {rule: int(table[rule].eq(True).sum()) for rule in RULES}
    print(f"\n{lab.layout.path.parent.name}: {counts} of {len(table)}")
    assert set(RULES) <= set(table.attrs["rules"])
    assert len(table) == len(await lab.sources.list_sources(limit=None))
    assert (table["selected_by"].ne("") == table[list(RULES)].eq(True).any(axis=1)).all()
