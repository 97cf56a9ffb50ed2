"""Sources are found by place, by name and by a rule, and lead to their images."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import contimg_lab as cl
from contimg_lab import errors


async def test_a_cone_is_what_astropy_finds(lab):
    """Every layout: the sources within a radius, nearest first, with their separations."""
    every = await lab.sources.table()
    sky = SkyCoord(every["ra_deg"].to_numpy(float), every["dec_deg"].to_numpy(float), unit="deg")
    for centre, radius in ((sky[0], 30.0), (sky[len(sky) // 2], 200.0), (sky[3], 10800.0)):
        found = await lab.sources.cone(centre.ra.deg, centre.dec.deg, radius_arcmin=radius)
        apart = centre.separation(sky).arcsec
        wanted = np.argsort(apart, kind="stable")[: int((apart <= radius * 60.0).sum())]
        assert set(found["source_id"]) == set(every["source_id"].iloc[wanted])
        assert found["separation_arcsec"].to_numpy(float) == pytest.approx(apart[wanted], abs=1e-6)
        assert found.attrs["units"]["separation_arcsec"] == "arcsec"
        known = every.set_index("source_id").loc[found["source_id"]]
        assert np.array_equal(found["eta"], known["eta"], equal_nan=True)
        assert found["n_used"].tolist() == known["n_used"].tolist()


async def test_a_cone_across_0h_is_one_cone(lab):
    """A circle around RA 0 holds the sources on both sides of it, however 0 is written."""
    every = await lab.sources.table()
    near = every[((every["ra_deg"] < 1.5) | (every["ra_deg"] > 358.5))]
    dec = float(near["dec_deg"].median())
    found = await lab.sources.cone(0.0, dec, radius_arcmin=150)
    assert (found["ra_deg"] < 180.0).any()
    assert (found["ra_deg"] > 180.0).any()
    for ra in (360.0, -360.0, "00:00:00"):
        again = await lab.sources.cone(ra, dec, radius_arcmin=150)
        assert again["source_id"].tolist() == found["source_id"].tolist()
    few = await lab.sources.cone(0.0, dec, radius_arcmin=150, limit=2)
    assert few["source_id"].tolist() == found["source_id"].tolist()[:2]


async def test_an_empty_cone_is_an_empty_table(demo):
    """Nothing there is no error: the same columns, no row."""
    some = await demo.sources.cone("00:00:00 +16:17:12")
    none = await demo.sources.cone(180.0, -80.0, radius_arcmin=1)
    assert none.empty
    assert list(none.columns) == list(some.columns)
    assert some["source_id"][0] == "NVSS J000000+161712"
    assert none.attrs["provenance"]["call"] == "sources.cone"


@pytest.mark.parametrize("radius", [0, -1, 10801, float("nan"), "5", None, True])
async def test_what_is_no_radius_is_refused(demo, radius):
    """A radius is a number of arcminutes."""
    with pytest.raises(errors.InvalidInput, match="arcminutes"):
        await demo.sources.cone(0.0, 16.0, radius_arcmin=radius)


async def test_names_are_found_by_any_part(lab):
    """A name is found by itself, its beginning and its middle, in any case, best match first."""
    every = (await lab.sources.table())["source_id"]
    name = every.iloc[len(every) // 2]
    for text in (name, name.lower(), f" {name} "):
        found = await lab.sources.find(text)
        assert (found["source_id"][0], found["match"][0]) == (name, "name")
    part = name[6:11].lower()
    found = await lab.sources.find(part, limit=None)
    assert set(found["source_id"]) == {n for n in every if part in n.lower()}
    begin = await lab.sources.find(name[:5], limit=None)
    assert set(begin["match"]) <= {"prefix", "substring"}
    assert (begin["source_id"].str.startswith(name[:5]) == (begin["match"] == "prefix")).all()
    assert begin["match"].is_monotonic_increasing
    assert len(await lab.sources.find(name[:5], limit=1)) == 1


async def test_a_name_that_is_not_there_leads_to_its_position(lab):
    """Coordinates in a name find the source within 1 arcmin where no name holds them."""
    every = await lab.sources.table()
    row = every[every["dec_deg"] > 1.0].iloc[5]
    place = SkyCoord(row["ra_deg"], row["dec_deg"] + 20.0 / 3600.0, unit="deg")
    name = "J" + "".join(
        [place.ra.to_string("hour", sep="", precision=1, pad=True),
         place.dec.to_string(sep="", precision=1, pad=True, alwayssign=True)]
    )  # fmt: skip
    found = await lab.sources.find(f"VLASS {name}")
    assert row["source_id"] in set(found["source_id"])
    assert set(found["match"]) == {"position"}
    assert (found["separation_arcsec"] <= 60.0).all()
    mine = found.set_index("source_id").loc[row["source_id"], "separation_arcsec"]
    assert mine == pytest.approx(20.0, abs=1.5)


@pytest.mark.parametrize(
    "text", ["%", "_", "NVSS%", "J00____", "*", ".*", "[A-Z]", "\\", "'", "zz"]
)
async def test_nothing_in_a_text_has_a_meaning(demo, text):
    """Wildcards of SQL, shells and patterns are letters like others: no name holds them."""
    assert (await demo.sources.find(text)).empty


@pytest.mark.parametrize("text", ["", "  ", None, 5, b"NVSS", "x" * 1001])
async def test_what_is_no_text_is_refused(demo, text):
    """An empty text would be every name, and is refused as what is no text."""
    with pytest.raises(errors.InvalidInput, match=r"lab\.sources\.table"):
        await demo.sources.find(text)


async def test_a_rule_selects_rows_of_the_table(lab):
    """select is the variability table where the rule says yes, figures and words unchanged."""
    every = await lab.sources.variability()
    for rule, wanted in (
        ("n_used >= 3 and v > 0.1", (every["n_used"] >= 3) & (every["v"] > 0.1)),
        ("not eta < 2", every["eta"] >= 2),
        ("nvss_flux_mjy > 1e9", every["n_used"] < 0),
    ):
        found = await lab.sources.select(rule)
        assert found.index.tolist() == every.index[wanted].tolist()
        assert list(found.columns) == list(every.columns)
        assert found["undefined"].tolist() == every["undefined"][wanted].tolist()
        assert found.attrs["n_all"] == len(every)
        assert found.attrs["units"] == every.attrs["units"]
        assert found.attrs["rule"] == rule
    undecided = (await lab.sources.select("eta > 0")).attrs["n_undecided"]
    assert undecided == int((~np.isfinite(every["eta"].to_numpy(float))).sum())


async def test_select_agrees_with_the_candidates(demo):
    """The rule of a user means the same in both places."""
    rule = "eta > 3 and n_used >= 20"
    candidates = await demo.sources.candidates(expression=rule)
    chosen = candidates.index[candidates["expression"]].tolist()
    assert chosen
    assert (await demo.sources.select(rule)).index.tolist() == chosen


@pytest.mark.parametrize("rule", ["colour > 3", "eta", "__import__('os')", "", None, 5, "eta >"])
async def test_a_rule_that_cannot_be_read_is_refused(demo, rule):
    """No rule is run: it is read, or refused."""
    with pytest.raises(errors.InvalidInput):
        await demo.sources.select(rule)


async def test_images_of_a_source_are_its_rows(lab):
    """One row a measurement, newest first, with the flux and the reason of the light curve."""
    names = [s.source_id for s in await lab.sources.list_sources(limit=None)]
    for name in names[:: len(names) // 5]:
        images = await lab.sources.images_of(name)
        curve = await lab.sources.light_curve(name)
        used = images[images["used"]]
        assert used["row_id"].tolist()[::-1] == curve.row_id.tolist()
        assert used["flux_jy"].tolist()[::-1] == curve.flux_jy.tolist()
        assert used["image_path"].tolist()[::-1] == curve.image_path.tolist()
        assert used["reason"].isna().all()
        left = images[~images["used"]].set_index("row_id")["reason"]
        excluded = dict(
            zip(curve.excluded.row_id.tolist(), curve.excluded.reason.tolist(), strict=True)
        )
        assert left.to_dict() == excluded
        mjd = images["mjd"].dropna()
        assert mjd.is_monotonic_decreasing
        assert images["mjd"].isna().iloc[len(mjd) :].all()


async def test_images_lead_to_their_ms_and_night(lab):
    """MS, run and night of an image are those that the nouns of their own say."""
    name = (await lab.sources.list_sources(limit=3))[2].source_id
    images = await lab.sources.images_of(name)
    ms_of = {row.path: row.ms_path for row in await lab.images.list_images(limit=None)}
    ms = (await lab.ms.table()).set_index("path")
    assert images["ms_path"].notna().any()
    for row in images.itertuples():
        assert row.ms_path == ms_of[row.image_path]
        assert row.night == ms.loc[row.ms_path, "night"]
        assert row.run_id == ms.loc[row.ms_path, "run_id"]


async def test_images_without_an_ms_are_still_shown(copy_of):
    """Where the images table names no MS, the night comes from the image's name."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        (name,) = db.execute("SELECT min(source_id) FROM photometry").fetchone()
        db.execute("DELETE FROM images")
    async with cl.open(folder) as lab:
        images = await lab.sources.images_of(name)
    assert images["ms_path"].isna().all()
    assert images["run_id"].isna().all()
    assert (images["night"] == images["observed_at"].dt.strftime("%Y-%m-%d")).all()


@pytest.mark.parametrize("name", ["no such source", "", None, 5, "%"])
async def test_images_of_no_source_are_not_found(demo, name):
    """An unknown name is an error that leads to the search."""
    with pytest.raises(errors.NotFound, match=r"lab\.sources\.find"):
        await demo.sources.images_of(name)
