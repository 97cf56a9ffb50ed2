"""The images panel: every image of a night, its pixels or why there are none, and its trends."""

from __future__ import annotations

import html
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import contimg_lab as cl
from contimg_lab.demo import Season, write_images
from contimg_lab.errors import InvalidInput

IMAGE = "/stage/dsa110-contimg/images/2025-11-06T05:10:47.img-image.fits"
MEASURED = IMAGE.replace(".fits", "-pb.fits")
MS = "/stage/dsa110-contimg/ms/2025-11-06T05:10:47.ms"
SOURCE = "NVSS J002314+152238"


@pytest.fixture
async def pictured(season_folder: Callable[..., Path]) -> AsyncIterator[cl.Lab]:
    """A Lab on the season with its images."""
    async with cl.demo(cache=season_folder().parent) as lab:
        yield lab


async def opened(lab: cl.Lab, **options: Any) -> Any:
    panel = lab.images.panel(**options)
    await panel.settled()
    assert panel.state == "showing"
    return panel


def cells(panel: Any, title: str) -> dict[str, str]:
    """One column of the table as it is read, by key."""
    rows = panel._table.rows
    column = next(c for c in rows.columns if c.title == title)
    return dict(zip(rows.keys, column.texts, strict=True))


async def test_every_image_is_a_row_with_units(demo: cl.Lab) -> None:
    """The table must hold every image of the night, as the Lab tells them, in its units."""
    panel = await opened(demo)
    night = await demo.last_night()
    told = (await demo.images.quality(night=night)).set_index("path")
    noise = cells(panel, "noise (mJy/beam)")
    assert set(noise) == set(told.index)
    assert float(noise[IMAGE]) == pytest.approx(told.loc[IMAGE, "noise_jy"] * 1e3, rel=0.01)
    row = told.loc[MEASURED]
    assert cells(panel, "flux / NVSS (n)")[MEASURED].startswith(f"{row['flux_ratio']:.3f} ± ")
    assert cells(panel, "sources")[MEASURED] == str(row["n_sources"])
    assert cells(panel, "beam (arcsec)")[IMAGE] == "36.9 × 25.3"
    assert cells(panel, "middle (UTC)")[IMAGE] == "05:13:21"
    assert cells(panel, "grade")[IMAGE] == "good: imaged"
    missing = panel._table.rows.page(0, 1)[0]["why"]
    assert "no photometry in this image" in missing.values()
    panel.close()


async def test_filters_hold_together(demo: cl.Lab) -> None:
    """Night, type and text must narrow the table, and N be told of all the night's images."""
    panel = await opened(demo, night="2025-10-14", type="pbcor", text="T05:")
    shown = panel.to_pandas()
    assert set(shown["type"]) == {"pbcor"}
    assert shown["path"].str.contains("T05:").all()
    assert panel._table._caption.value == f"{len(shown)} of 66 images, night 2025-10-14"
    panel._type.widget.value = ""
    panel._text.widget.value = ""
    await panel.settled()
    assert len(panel.to_pandas()) == 66
    panel._night.choose("all")
    await panel.settled()
    assert len(panel.to_pandas()) == len(await demo.images.table())
    with pytest.raises(InvalidInput, match="noise_jy"):
        demo.images.panel(quantity="colour")
    panel.close()


async def test_a_chosen_image_shows_its_pixels(pictured: cl.Lab) -> None:
    """Choosing an image must show its pixels with numbers in words, its facts, and its MS."""
    panel = await opened(pictured)
    panel._choose(IMAGE)
    await panel.settled()
    assert pictured.selection.image == IMAGE
    assert pictured.selection.ms_path == MS
    picture = html.unescape(panel._picture.to_html())
    for words in ("128 by 128 pixels", "noise 18.3 mJy/beam", "beam 36.9″ × 25.3″", SOURCE):
        assert words in picture
    assert "data:image/png" in picture
    for words in ("18.3 mJy/beam", "36.90 × 25.27 arcsec", "RA 00h21m36.9s", MS):
        assert words in panel._facts.value
    assert panel._tiles.selected == {IMAGE}
    pictured.selection.back()
    await panel.settled()
    assert panel.selected is None
    assert "Choose an image" in panel._facts.value
    panel.close()


async def test_a_chosen_ms_shows_its_tile(pictured: cl.Lab) -> None:
    """An MS chosen elsewhere must show its tile image; one chosen of its images stays."""
    panel = await opened(pictured)
    pictured.selection.ms_path = MS
    await panel.settled()
    assert panel.selected == IMAGE
    assert panel._table._grid.chosen == IMAGE
    panel._choose(MEASURED)
    await panel.settled()
    pictured.selection.ms_path = None
    pictured.selection.ms_path = MS
    await panel.settled()
    assert panel.selected == MEASURED
    panel.close()


async def test_the_chosen_source_marks_its_images(pictured: cl.Lab) -> None:
    """Images in which the source was measured must carry its flux, and the cut-out its ring."""
    panel = await opened(pictured)
    panel._choose(IMAGE)
    pictured.selection.source = SOURCE
    await panel.settled()
    found = await pictured.sources.images_of(SOURCE)
    shown = {path for path, cell in cells(panel, "source (mJy)").items() if cell != "-"}
    assert shown == set(found["image_path"]) & set(panel.to_pandas()["path"])
    flux = float(found.set_index("image_path").loc[MEASURED, "flux_jy"]) * 1e3
    cell = cells(panel, "source (mJy)")[MEASURED]
    assert float(cell.split(" ")[0]) == pytest.approx(flux, rel=0.01)
    assert f"{SOURCE} is ringed" in html.unescape(panel._picture.to_html())
    assert f"{SOURCE} was measured in 1" in panel._tiles.alt
    panel._view.choose("48")
    await panel.settled()
    assert "48 by 48 pixels" in panel._picture.to_html()
    pictured.selection.source = None
    await panel.settled()
    assert "source (mJy)" not in [c.title for c in panel._table.rows.columns]
    panel.close()


async def test_without_a_picture_the_reason_is_told(
    copy_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folders, no file, a path outside, and what is no FITS must each be told apart."""
    folder = copy_of()
    shutil.rmtree(folder / "images", ignore_errors=True)
    files = write_images(folder, Season())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(folder / "images", elsewhere / "images")
    file = elsewhere / "images" / files[0].name

    async def reason(path: str | None = None) -> str:
        if path is not None:
            with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as base, base:
                base.execute("UPDATE images SET path = ? WHERE id = 1", (path,))
        async with cl.open(folder) as lab:
            panel = await opened(lab, night="all")
            key = (await lab.images.get_image(1)).path
            panel._choose(key)
            await panel.settled()
            told = html.unescape(panel._picture.widget.value)
            assert "No picture of" in told or "data:image/png" in told
            panel.close()
            return told

    assert "CONTIMG_LAB_IMAGE_ROOTS" in await reason()
    roots = tmp_path / "roots"
    roots.mkdir()
    monkeypatch.setenv("CONTIMG_LAB_IMAGE_ROOTS", str(roots))
    assert "No file" in await reason()
    assert "outside the folders" in await reason(str(file))
    (roots / "text.fits").write_text("no FITS at all")
    assert "cannot be read as FITS" in await reason("/stage/text.fits")
    shutil.copy(file, roots)
    assert "data:image/png" in await reason(f"/stage/{file.name}")


async def test_trends_follow_the_quantity_and_tell_what_stands_out(demo: cl.Lab) -> None:
    """Both plots must show the chosen quantity, and a click on a night open it."""
    panel = await opened(demo)
    assert "2025-10-14 noise high (+4.9 σ)" in html.unescape(panel._told.value)
    assert panel._nights.chart.y.unit == panel._tiles.chart.y.unit == "mJy/beam"
    panel._quantity.widget.value = "dynamic_range"
    await panel.settled()
    assert panel._nights.alt.startswith("Dynamic range of 29 nights")
    assert "2025-10-31 (+6.9 σ)" in panel._nights.alt
    assert panel._tiles.alt.startswith("Dynamic range of 29 of 29 tile images")
    assert panel.figure().axes[0].get_ylabel() == "Dynamic range"
    panel._on_night(frozenset({"2025-10-31"}), "click")
    await panel.settled()
    assert demo.selection.night == "2025-10-31"
    assert "night 2025-10-31" in panel._tiles.alt
    assert "Night 2025-10-31: dynamic range high (+6.9 σ)" in html.unescape(panel._told.value)
    panel.close()


async def test_a_site_without_a_column_says_so(season_folder: Callable[..., Path]) -> None:
    """What a site's files do not hold must be said in the plot and in the table's cells."""
    async with cl.open(season_folder("split-old")) as lab:
        panel = await opened(lab, quantity="dynamic_range")
        assert panel._nights.chart is None
        assert "no column for dynamic_range" in panel._nights.alt
        row = panel._table.rows.page(0, 1)[0]
        assert "this site's files have no column for it" in row["why"].values()
        panel.close()


async def test_a_view_is_restored(demo: cl.Lab) -> None:
    """Filters, quantity and view must come back as they were saved."""
    panel = await opened(demo, night="2025-10-14", type="image", quantity="axis_ratio")
    state = panel.view_state()
    other = await opened(demo)
    other.restore(state)
    await other.settled()
    assert other.view_state() == state
    assert other._tiles.alt.startswith("Beam, axis ratio")
    for one in (panel, other):
        one.close()


async def test_a_new_image_is_there_and_marked(copy_of: Callable[..., Path]) -> None:
    """An image that the pipeline commits must come by itself, marked as new."""
    import asyncio

    folder = copy_of()
    async with cl.open(folder) as lab:
        panel = await opened(lab)
        with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as base, base:
            base.execute(
                "INSERT INTO images (path, ms_path, created_at, type, noise_jy) "
                "VALUES ('/stage/new.fits', ?, 1762404620.0, 'residual', 0.02)",
                (MS,),
            )
        for _ in range(100):
            if "/stage/new.fits" in panel._table.rows.keys:
                break
            await asyncio.sleep(0.1)
        assert "/stage/new.fits" in panel._table.rows.marked
        await panel.settled()
        panel.close()
