"""Images: cut-outs of files that may be read, and the figures of tiles over many nights."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.demo import Season, make_season, read_truth, write_images
from contimg_lab.services._trends import LEAST_SOURCES, QUANTITIES
from contimg_lab.services.images import tile_images

MADE = [{}, {"layout": "split"}, {"layout": "split-old"}, {"untidy": True}]
names = pytest.mark.parametrize("kind", MADE, ids=lambda kind: "-".join(map(str, kind.values())))


async def of_file(lab: cl.Lab, file: Path):
    """Image of the database whose path ends in a file's name."""
    images = await lab.images.list_images(limit=None)
    return next(i for i in images if i.path.endswith("/" + file.name))


@pytest.fixture
async def drawn(copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    """A Lab on a season whose images may be read, and their files."""
    folder = copy_of()
    files = write_images(folder)
    monkeypatch.setenv("CONTIMG_LAB_IMAGE_ROOTS", str(folder / "images"))
    async with cl.open(folder) as lab:
        yield lab, files


@names
async def test_demo_images_agree_with_their_database(copy_of, monkeypatch, kind) -> None:
    """Each file must be a tile of the last two nights, with the beam and noise of its row."""
    folder = copy_of(**kind)
    before = {p.name: p.read_bytes() for p in folder.glob("*.sqlite3")}
    files = write_images(folder, Season(**kind))
    assert len(files) == 6
    assert before == {p.name: p.read_bytes() for p in folder.glob("*.sqlite3")}
    assert write_images(folder, Season(**kind)) == files
    monkeypatch.setenv("CONTIMG_LAB_IMAGE_ROOTS", str(folder / "images"))
    async with cl.open(folder) as lab:
        trends = await lab.images.trends(nights=(await lab.nights())[-2:])
        for file in files:
            image = await of_file(lab, file)
            assert image.path in set(trends["image_path"])
            found = await lab.images.cutout(image.id, size_px=128)
            assert found.beam_major_arcsec == pytest.approx(image.beam_major_arcsec)
            assert np.isfinite(found.data).all()
            assert found.source_ids
            spread = 1.4826 * np.median(np.abs(found.data - np.median(found.data)))
            if image.noise_jy is not None and not image.pbcor:
                assert spread == pytest.approx(image.noise_jy, rel=0.2)


async def test_a_season_opened_by_its_path_has_its_images(copy_of) -> None:
    """A folder with a season and its images must need no setting; without images none is made."""
    folder = copy_of()
    shutil.rmtree(folder / "images", ignore_errors=True)
    async with cl.open(folder) as lab:
        with pytest.raises(errors.AbsentFeature, match="CONTIMG_LAB_IMAGE_ROOTS"):
            await lab.images.cutout(1)
        assert not (folder / "images").exists()
    file = write_images(folder)[0]
    for path in (folder, folder / "pipeline.sqlite3"):
        async with cl.open(path) as lab:
            found = await lab.images.cutout((await of_file(lab, file)).id, size_px=None)
            assert found.file == file.resolve()
            assert found.data.shape == (128, 128)
    (folder / "truth.json").write_text("{}")
    async with cl.open(folder) as lab:
        with pytest.raises(errors.AbsentFeature, match="season"):
            await lab.images.cutout(1)


async def test_source_stands_where_it_is_marked(drawn) -> None:
    """The brightest pixel must be at a source's mark, with the source's flux in that night."""
    lab, files = drawn
    gains = read_truth(files[0].parents[1]).image_gains
    for file in files:
        image = await of_file(lab, file)
        found = await lab.images.cutout(image.path, size_px=100)
        y, x = np.unravel_index(np.argmax(found.data), found.data.shape)
        far = np.hypot(found.source_x_px - x, found.source_y_px - y)
        name = found.source_ids[int(np.argmin(far))]
        assert far.min() < 1.0
        curve = (await lab.sources.light_curve(name)).to_pandas()
        mine = curve[curve["image_path"] == image.path.replace("-image.", "-image-pb.")]
        assert image.path.replace("-image.", "-image-pb.") in gains
        assert float(found.data.max()) == pytest.approx(float(mine["flux_jy"].iloc[0]), rel=0.5)


async def test_cutout_is_the_same_pixels_as_the_file(drawn) -> None:
    """Pixels, header and place must be those that astropy reads from the whole file."""
    lab, files = drawn
    image = await of_file(lab, files[0])
    with fits.open(files[0]) as units:
        whole, wcs = units[0].data[0, 0].copy(), WCS(units[0].header, naxis=2, fix=False)
    ra, dec = (float(v) for v in wcs.wcs_pix2world(120.0, 5.0, 0))
    found = await lab.images.cutout(image.id, ra_deg=ra, dec_deg=dec, size_px=33)
    assert found.data.shape == (33, 33)
    assert found.data.dtype == np.float32
    assert found.unit == "Jy/beam"
    assert (found.x_px, found.y_px) == pytest.approx((16.0, 16.0), abs=1e-6)
    np.testing.assert_array_equal(found.data[11:, :24], whole[:22, 104:128])
    assert np.isnan(found.data[:11]).all()
    assert np.isnan(found.data[:, 24:]).all()
    again = WCS(fits.Header(found.header), fix=False)
    assert again.wcs_pix2world(16.0, 16.0, 0) == pytest.approx((ra, dec), abs=1e-9)
    assert found.arcsec_per_px == pytest.approx(np.diag([-6.0, 6.0]), abs=0.05)
    assert found.provenance.call == "images.cutout"
    assert found.file == files[0].resolve()


async def test_built_in_season_draws_its_images_when_asked(tmp_path: Path) -> None:
    """No image must be written before one is asked for, and then no setting is needed."""
    async with cl.demo(cache=str(tmp_path), nights=6, n_sources=40) as lab:
        folder = lab.config.season_folder
        trends = await lab.images.trends(nights=await lab.last_night())
        assert not (folder / "images").exists()
        with contextlib.suppress(errors.AbsentFeature):  # it may be one of those that are drawn
            await lab.images.cutout(trends["image_path"].iloc[0])
        drawn = {file.name for file in (folder / "images").iterdir()}
        of_night = [p for p in trends["image_path"] if p.rsplit("/", 1)[-1] in drawn]
        assert len(of_night) == 3
        for path in of_night:
            assert (await lab.images.cutout(path)).file.parent == (folder / "images").resolve()


def test_images_are_refused_to_another_season(tmp_path: Path) -> None:
    """A folder that does not hold the season must be left alone."""
    folder = make_season(tmp_path / "season", Season(nights=6, n_sources=40))
    with pytest.raises(errors.InvalidInput, match="does not hold this season"):
        write_images(folder, Season())
    with pytest.raises(errors.InvalidInput, match="does not hold this season"):
        write_images(tmp_path, Season())
    assert not (folder / "images").exists()
    assert not list(tmp_path.glob("*images*"))


async def test_no_folder_no_file(lab) -> None:
    """Without a setting no file must be opened, and the error must name the setting."""
    image = (await lab.images.list_images(limit=1))[0]
    with pytest.raises(errors.AbsentFeature, match="CONTIMG_LAB_IMAGE_ROOTS"):
        await lab.images.cutout(image.id)
    with pytest.raises(errors.NotFound):
        await lab.images.cutout("/no/such/image.fits")


async def test_files_outside_the_folders_are_not_opened(copy_of, tmp_path, monkeypatch) -> None:
    """A link out of the folders and a path beside them must be refused, however written."""
    folder = copy_of()
    files = write_images(folder)
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    monkeypatch.setenv("CONTIMG_LAB_IMAGE_ROOTS", str(allowed))
    (allowed / files[0].name).symlink_to(files[0])
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db, db:
        for row, path in ((3, str(files[1])), (5, f"{allowed}/../season/images/{files[2].name}")):
            db.execute("UPDATE images SET path = ? WHERE id = ?", (path, row))
    async with cl.open(folder) as lab:
        linked = await of_file(lab, files[0])
        for key in (linked.id, 3, 5):
            with pytest.raises(errors.ForbiddenPath, match="outside the folders"):
                await lab.images.cutout(key)
        with pytest.raises(errors.AbsentFeature, match="no file"):
            await lab.images.cutout((await of_file(lab, files[4])).id)
        (allowed / "2025").mkdir()
        files[4].replace(allowed / "2025" / files[4].name)
        with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db, db:
            db.execute("UPDATE images SET path = ? WHERE id = 7", (f"/data/2025/{files[4].name}",))
        assert (await lab.images.cutout(7)).file.parent.name == "2025"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda whole: b"", "cannot be read as FITS"),
        (lambda whole: b"no FITS at all" * 500, "cannot be read as FITS"),
        (lambda whole: whole[:9000], "cut short"),
        (lambda whole: whole.replace(b"RA---SIN", b"LINEAR  "), "coordinates"),
        (lambda whole: whole.replace(b"RA---SIN", b"GLON-SIN").replace(b"DEC--SIN", b"GLAT-SIN"),
         "right ascension"),
        (lambda whole: fits.PrimaryHDU().header.tostring().encode(), "no image"),
    ],
    ids=["empty", "other", "short", "no coordinates", "galactic", "no pixels"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:File may have been truncated")
async def test_broken_files_are_named(drawn, damage, words) -> None:
    """A file that is no image of the sky must give DamagedFile with its name, and no crash."""
    lab, files = drawn
    files[0].write_bytes(damage(files[0].read_bytes()))
    image = await of_file(lab, files[0])
    with pytest.raises(errors.DamagedFile, match=words) as told:
        await lab.images.cutout(image.id)
    assert files[0].name in str(told.value)


async def test_folders_of_casa_are_told_from_files(drawn) -> None:
    """An image that is a folder must be a known absence."""
    lab, files = drawn
    files[0].unlink()
    files[0].mkdir()
    image = await of_file(lab, files[0])
    with pytest.raises(errors.AbsentFeature, match="CASA"):
        await lab.images.cutout(image.id)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ra_deg": 1.0}, "both"), ({"ra_deg": 1.0, "dec_deg": 91.0}, "dec_deg"),
        ({"ra_deg": float("nan"), "dec_deg": 1.0}, "ra_deg"), ({"size_px": 0}, "size_px"),
        ({"size_px": 1.5}, "size_px"), ({"ra_deg": 200.0, "dec_deg": 16.0}, "outside"),
        ({"ra_deg": 6.4, "dec_deg": 16.0}, "outside"),
    ],
)  # fmt: skip
async def test_places_and_sizes_are_checked(drawn, given, words) -> None:
    """A place outside of the image and a size that is none must be refused in words."""
    lab, files = drawn
    image = await of_file(lab, files[0])
    with pytest.raises(errors.InvalidInput, match=words):
        await lab.images.cutout(image.id, **given)


async def test_reading_does_not_stop_the_loop(drawn) -> None:
    """While a cut-out is read the event loop must go on."""
    lab, files = drawn
    image = await of_file(lab, files[0])
    turns = 0
    task = asyncio.create_task(lab.images.cutout(image.id))
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 5
    assert task.result().data.shape == (64, 64)


async def test_trends_have_the_tile_image_of_each_tile(lab) -> None:
    """The rows must be the tiles' images as `tile_images` chooses them, in order of time."""
    trends = await lab.images.trends()
    chosen = tile_images(await lab.images.list_images(limit=None))
    directory = await lab._context.directory()
    tiles = {e.ms.path: e for e in directory.select(None) if e.kind == "tile"}
    expected = {path: chosen[path] for path in tiles if path in chosen}
    assert dict(zip(trends["ms_path"], trends["image_id"], strict=True)) == {
        path: image.id for path, image in expected.items()
    }
    assert trends["mid_mjd"].dropna().is_monotonic_increasing
    assert str(trends["mid_datetime"].dt.tz) == "UTC"
    for row in trends.to_dict("records")[::37]:
        image, entry = expected[row["ms_path"]], tiles[row["ms_path"]]
        assert (row["night"], row["hour"]) == (entry.night, entry.hour)
        for name in ("noise_jy", "beam_minor_arcsec", "dynamic_range"):
            stored = getattr(image, name)
            good = stored is not None and 0.0 < stored < float("inf")
            assert row[name] == stored if good else pd.isna(row[name])


async def test_what_a_file_lacks_is_named_absent(lab) -> None:
    """A quantity without a column must be named absent and hold nothing, never zero."""
    lacking = set((await lab.absent()).get("images", ()))
    for made in (await lab.images.trends(), await lab.images.nightly()):
        absent = set(made.attrs["absent"])
        for name in ("noise_jy", "beam_major_arcsec", "beam_minor_arcsec", "dynamic_range"):
            assert (name in absent) == (name in lacking)
        assert ("axis_ratio" in absent) == ("beam_minor_arcsec" in lacking)
        for name in QUANTITIES:
            assert made[name].isna().all() == (name in absent), name
            assert not (made[name] == 0.0).any()
            assert made.attrs["units"][name] == QUANTITIES[name][0]


async def test_flux_ratio_is_that_of_plain_sql(lab) -> None:
    """Ratio, scatter and number of a tile must be a loop's over its sources' epochs."""
    nights = (await lab.images.trends())["night"].dropna().unique()  # some have no image
    night = nights[len(nights) // 2]
    trends = await lab.images.trends(nights=[night])
    assert set(trends["night"]) == {night}
    sources = [s for s in await lab.sources.list_sources(limit=None) if s.nvss_flux_mjy]
    bright = {s.source_id: s.nvss_flux_mjy for s in sources if s.nvss_flux_mjy >= 50.0}
    curves = await lab.sources.light_curves(list(bright))
    ms_of = {i.path: i.ms_path for i in await lab.images.list_images(limit=None)}
    ratios: dict[str, dict[str, list[float]]] = {}
    for name, curve in curves.items():
        made = curve.to_pandas()
        for flux, path in zip(made["flux_jy"], made["image_path"], strict=True):
            if path in ms_of:
                of_ms = ratios.setdefault(ms_of[path], {})
                of_ms.setdefault(path, []).append(flux * 1e3 / bright[name])
    for row in trends.to_dict("records"):
        measured = ratios.get(row["ms_path"], {})
        assert len(measured) < 2 or row["image_path"] in measured
        mine = measured.get(row["image_path"]) or next(iter(measured.values()), [])
        assert row["flux_ratio_n"] == len(mine)
        if len(mine) < LEAST_SOURCES:
            assert row["flux_ratio_reason"]
            continue
        middle = statistics.median(mine)
        assert row["flux_ratio"] == pytest.approx(middle)
        assert row["flux_ratio_mad"] == pytest.approx(
            statistics.median(abs(v - middle) for v in mine)
        )
        assert row["flux_ratio_reason"] == ""


async def test_nights_roll_the_tiles_up(lab) -> None:
    """Median, scatter and number of a night must be those of its tiles."""
    trends, nightly = await lab.images.trends(), await lab.images.nightly()
    assert nightly["night"].tolist() == sorted(trends["night"].dropna().unique())
    for row in nightly.to_dict("records")[:: max(1, len(nightly) // 6)]:
        mine = trends[trends["night"] == row["night"]]
        assert row["n_tiles"] == len(mine)
        for name in QUANTITIES:
            values = mine[name].dropna().astype(float).tolist()
            assert row[f"{name}_n"] == len(values)
            if values:
                assert row[name] == pytest.approx(statistics.median(values))


async def test_a_night_with_a_lost_scale_is_marked(copy_of) -> None:
    """A night whose fluxes all drop must be marked with its deviation, and no other with it."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        night = (await lab.nights())[-4]
        before = await lab.images.nightly()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db, db:
        db.execute(
            "UPDATE photometry SET flux_jy = flux_jy * 0.7 WHERE image_path LIKE ?",
            (f"%/{night}T%",),
        )
    async with cl.open(folder) as lab:
        after = await lab.images.nightly()
    row = after[after["night"] == night].iloc[0]
    assert row["flux_ratio_regression"]
    assert row["flux_ratio_deviation"] < -4.0
    assert f"flux_ratio {row['flux_ratio_deviation']:+.1f} sigma" in row["regressions"]
    marked = after["flux_ratio_regression"].fillna(False) & (after["night"] != night)
    assert not marked.any()
    assert before["flux_ratio_regression"].isna().tolist() == [True] * 5 + [False] * (
        len(before) - 5
    )


async def test_a_site_without_photometry_has_trends(copy_of) -> None:
    """Noise and beam must be told where there is no photometry, and the ratio named absent."""
    folder = copy_of()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db, db:
        db.execute("DROP TABLE photometry")
    async with cl.open(folder) as lab:
        trends = await lab.images.trends(nights=await lab.last_night())
        assert "flux_ratio" in trends.attrs["absent"]
        assert trends["flux_ratio"].isna().all()
        assert (trends["flux_ratio_reason"] != "").all()
        assert trends["noise_jy"].notna().any()


async def test_nights_are_checked(demo) -> None:
    """A night that is no date must be refused, and one without an MS has no rows."""
    with pytest.raises(errors.InvalidInput, match="no UTC date"):
        await demo.images.trends(nights=["yesterday"])
    assert len(await demo.images.trends(nights="2001-01-01")) == 0
    assert len(await demo.images.trends(nights=[])) == 0
