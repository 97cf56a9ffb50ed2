"""Cut-outs and trends as pictures: what is drawn, where it stands, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.patches
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.plots import cutout_words, plot_cutout, plot_tiles, plot_trends, trend_words
from contimg_lab.plots.trends import tiles_chart, trends_chart
from contimg_lab.services._trends import QUANTITIES


@pytest.fixture
def ax() -> Axes:
    """Axes that pyplot does not know."""
    return Figure(figsize=(6, 4), layout="constrained").subplots()


@dataclass
class Square:
    """A cut-out of 21 by 21 pixels of 6 arcsec, east to lower x."""

    file: Path = Path("tile.fits")
    data: np.ndarray = field(default_factory=lambda: np.zeros((21, 21), np.float32))
    unit: str = "Jy/beam"
    ra_deg: float = 0.0
    dec_deg: float = -0.5
    x_px: float = 10.0
    y_px: float = 10.0
    arcsec_per_px: np.ndarray = field(default_factory=lambda: np.diag([-6.0, 6.0]))
    noise_jy: float | None = 0.01
    beam_major_arcsec: float | None = 36.0
    beam_minor_arcsec: float | None = 24.0
    beam_pa_deg: float | None = 30.0
    source_ids: tuple[str, ...] = ("NVSS J000000-003000",)
    source_x_px: np.ndarray = field(default_factory=lambda: np.array([5.0]))
    source_y_px: np.ndarray = field(default_factory=lambda: np.array([10.0]))


def test_east_is_left_and_a_source_is_ringed_where_it_is(ax: Axes) -> None:
    """A source five pixels to lower x must stand half an arcminute east, with its name."""
    plot_cutout(Square(), ax)
    left, right = ax.get_xlim()
    assert left > right
    ring = ax.lines[0]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((0.5, 0.0))
    assert any("NVSS J000000-003000" in text.get_text() for text in ax.texts)


def test_pixels_stand_where_their_coordinates_say(ax: Axes) -> None:
    """A turned image must be drawn turned: a pixel lands where its offsets say."""
    turned = np.array([[0.0, -6.0], [-6.0, 0.0]])
    plot_cutout(Square(arcsec_per_px=turned), ax)
    picture = ax.images[0]
    to_sky = picture.get_transform() - ax.transData
    assert to_sky.transform((10.0, 15.0)) == pytest.approx((-0.5, 0.0))
    assert to_sky.transform((15.0, 10.0)) == pytest.approx((0.0, -0.5))


def test_beam_has_its_size_and_angle(ax: Axes) -> None:
    """The ellipse must have the beam's axes in arcmin, and lean to the east by its angle."""
    plot_cutout(Square(), ax)
    beam = next(p for p in ax.patches if isinstance(p, matplotlib.patches.Ellipse))
    assert (beam.width, beam.height, beam.angle) == pytest.approx((0.4, 0.6, -30.0))
    tip = beam.get_co_vertices()
    assert np.ptp(beam.get_verts()[:, 1]) > 0.0
    assert len(tip) == 2
    bare = plot_cutout(Square(beam_major_arcsec=None), Figure().subplots())
    assert not any(isinstance(p, matplotlib.patches.Ellipse) for p in bare.patches)


def test_scale_is_set_by_the_noise(ax: Axes) -> None:
    """Without a bright pixel the scale must be -3 to 10 times the noise, in mJy."""
    plot_cutout(Square(), ax)
    assert ax.images[0].get_clim() == pytest.approx((-30.0, 100.0))
    bright = Square()
    bright.data[3, 3] = 1.5
    other = plot_cutout(bright, Figure().subplots())
    assert other.images[0].get_clim() == pytest.approx((-30.0, 1500.0))
    unknown = plot_cutout(Square(noise_jy=None), Figure().subplots())
    assert unknown.images[0].get_clim()[0] == 0.0


def test_pixels_outside_are_hatched_and_nothing_at_all_is_said(ax: Axes) -> None:
    """NaN must be seen as no pixel, and a cut-out of none must say so."""
    part = Square()
    part.data[:, 12:] = np.nan
    plot_cutout(part, ax)
    assert any(p.get_hatch() for p in ax.patches)
    none = Square(data=np.full((21, 21), np.nan, np.float32))
    empty = plot_cutout(none, Figure().subplots())
    assert any("no pixel" in text.get_text() for text in empty.texts)
    assert "231 pixels" not in cutout_words(part)
    assert "189 pixels without a value" in cutout_words(part)


def test_cutout_in_words_has_its_numbers() -> None:
    """The words must name file, place, range, noise, beam and sources, and what is missing."""
    square = Square()
    square.data[3, 3] = 1.5
    words = cutout_words(square)
    for part in (
        "21 by 21 pixels of tile.fits", "RA 00h00m00.0s, Dec -00°30′00″", "0 to 1.5e+03 mJy/beam",
        "noise 10 mJy/beam", "beam 36.0″ × 24.0″, PA 30°", "1 source of the database: NVSS J0000",
    ):  # fmt: skip
        assert part in words
    bare = cutout_words(Square(noise_jy=None, beam_minor_arcsec=None, source_ids=()))
    assert "noise not recorded; beam not recorded; 0 sources" in bare


async def test_a_cutout_draws_itself(copy_of, monkeypatch, ax: Axes) -> None:
    """What ``lab.images.cutout`` returns must have all that its picture and words need."""
    from contimg_lab.demo import write_images

    folder = copy_of()
    files = write_images(folder)
    monkeypatch.setenv("CONTIMG_LAB_IMAGE_ROOTS", str(folder / "images"))
    async with cl.open(folder) as lab:
        images = await lab.images.list_images(limit=None)
        key = next(i.id for i in images if i.path.endswith(files[0].name))
        found = await lab.images.cutout(key)
    assert found.plot(ax) is ax
    ax.figure.draw_without_rendering()
    assert files[0].name in ax.get_title()
    assert found.source_ids[0] in cutout_words(found)


def nightly(values: list[float], **attrs: object) -> pd.DataFrame:
    """Nights of a flux ratio, the last of them marked."""
    n = len(values)
    made = pd.DataFrame(
        {
            "night": [f"2025-10-{day:02d}" for day in range(1, n + 1)],
            "mid_mjd": pd.array(np.arange(n) + 60949.2, dtype="Float64"),
            "flux_ratio": pd.array(values, dtype="Float64"),
            "flux_ratio_mad": pd.array([0.09] * n, dtype="Float64"),
            "flux_ratio_n": pd.array([9] * n, dtype="Int64"),
            "flux_ratio_before": pd.array([None] * 5 + [0.9] * (n - 5), dtype="Float64"),
            "flux_ratio_before_sigma": pd.array([None] * 5 + [0.01] * (n - 5), dtype="Float64"),
            "flux_ratio_deviation": pd.array(
                [None] * 5 + [0.1] * (n - 6) + [-7.25], dtype="Float64"
            ),
            "flux_ratio_regression": pd.array(
                [None] * 5 + [False] * (n - 6) + [True], dtype="boolean"
            ),
        }
    )
    made.attrs.update(attrs)
    return made


def test_night_that_stands_out_has_a_shape_and_words(ax: Axes) -> None:
    """A marked night must be a triangle that points its way, named with its deviation."""
    plot_trends(nightly([0.9] * 7 + [0.6]), "flux_ratio", ax)
    points = {c.get_label(): c[0] for c in ax.containers}
    assert points["low (< -4 σ) (1)"].get_marker() == "v"
    assert points["night (2)"].get_marker() == "o"
    assert points["fewer than 5 nights before (5)"].get_markerfacecolor() == "none"
    assert any("10-08: -7.2 σ" in text.get_text() for text in ax.texts)
    high = nightly([0.9] * 7 + [1.6])
    high["flux_ratio_deviation"] = high["flux_ratio_deviation"].abs()
    other = plot_trends(high, "flux_ratio", Figure().subplots())
    marks = {c.get_label(): c[0] for c in other.containers}
    assert marks["high (> 4 σ) (1)"].get_marker() == "^"


def test_the_range_that_is_expected_is_shaded(ax: Axes) -> None:
    """Around the median of the nights before, 4 of their sigma must be shaded, without gaps."""
    made = nightly([0.9] * 8)
    chart = trends_chart(made, "flux_ratio")
    edges = np.array([band.y for band in chart.bands])
    assert edges == pytest.approx(np.array([(0.86, 0.94)] * 3))
    assert chart.bands[0].x[1] == chart.bands[1].x[0]
    (line,) = chart.lines
    assert line.y == pytest.approx([0.9] * 3)
    plot_trends(made, "flux_ratio", ax)
    assert len(ax.patches) + len(ax.collections) >= 3


def test_a_night_is_the_key_of_its_point() -> None:
    """A click on a point must name its night, and the night shown have a line through it."""
    chart = trends_chart(nightly([0.9] * 8), "flux_ratio", shown="2025-10-03")
    assert sorted(chart.keys()) == [f"2025-10-{day:02d}" for day in range(1, 9)]
    line = chart.levels[-1]
    assert (line.axis, line.at, line.label) == ("x", pytest.approx(60951.2), "night 2025-10-03")
    assert len(trends_chart(nightly([0.9] * 8), "flux_ratio", shown="none").levels) == 2
    assert chart.alt == trend_words(nightly([0.9] * 8), "flux_ratio")


def test_error_bars_are_scatter_over_root_n(ax: Axes) -> None:
    """A bar must be MAD / sqrt(n): 0.09 of 9 tiles is 0.03 to both sides."""
    plot_trends(nightly([0.9] * 8), "flux_ratio", ax)
    bars = np.concatenate([c[2][0].get_segments() for c in ax.containers])
    assert bars[:, 1, 1] - bars[:, 0, 1] == pytest.approx(0.06)


def test_band_of_good_epochs_belongs_to_the_flux_ratio(ax: Axes) -> None:
    """Its edges must be drawn at 0.8 and 1.2 and be in view; no other quantity has them."""
    made = nightly([0.9] * 8)
    chart = trends_chart(made, "flux_ratio")
    assert [level.at for level in chart.levels] == [0.8, 1.2]
    assert "good epoch" in chart.levels[0].label
    (_, _), (low, high) = chart.limits()
    assert low < 0.8 < 1.2 < high
    plot_trends(made, "flux_ratio", ax)
    assert any("good epoch" in str(line.get_label()) for line in ax.lines)
    made.columns = [name.replace("flux_ratio", "axis_ratio") for name in made]
    assert trends_chart(made, "axis_ratio").levels == ()


def test_trend_in_words_has_its_numbers() -> None:
    """The words must give nights, median, the last value with its error, and what stands out."""
    words = trend_words(nightly([0.9] * 7 + [0.6]), "flux_ratio")
    assert words == (
        "Flux over NVSS flux of 8 nights, 2025-10-01 to 2025-10-08; median 0.9, 0.6 to 0.9; "
        "last night 0.6 ± 0.03; nights outside 0.8 to 1.2: 1; nights that stand out: "
        "2025-10-08 (-7.2 σ)."
    )


def test_nothing_to_draw_and_nothing_known_is_said(ax: Axes) -> None:
    """No value, no such quantity and no such column must each be told apart."""
    empty = nightly([float("nan")] * 8)
    plot_trends(empty, "flux_ratio", ax)
    assert any("no night" in text.get_text() for text in ax.texts)
    assert "no night has one" in trend_words(empty, "flux_ratio")
    with pytest.raises(errors.InvalidInput, match="noise_jy"):
        plot_trends(empty, "colour", ax)
    lacking = nightly([0.9] * 8, absent=("flux_ratio",))
    for call in (plot_trends, trend_words):
        with pytest.raises(errors.AbsentFeature, match="flux_ratio"):
            call(lacking, "flux_ratio")


async def test_every_layout_draws_what_it_has(lab: cl.Lab) -> None:
    """Each quantity must be drawn with words, or refused as absent."""
    made = await lab.images.nightly()
    for quantity in QUANTITIES:
        if quantity in made.attrs["absent"]:
            with pytest.raises(errors.AbsentFeature):
                plot_trends(made, quantity, Figure().subplots())
            continue
        axes = plot_trends(made, quantity, Figure().subplots())
        axes.figure.draw_without_rendering()
        assert axes.containers
        assert "nights that stand out" in trend_words(made, quantity)


def tiles(values: list[float]) -> pd.DataFrame:
    """Tiles of one night with a noise, five minutes apart."""
    n = len(values)
    return pd.DataFrame(
        {
            "night": ["2025-10-08"] * n,
            "mid_mjd": pd.array(60956.2 + np.arange(n) * 0.0036, dtype="Float64"),
            "image_path": [f"/images/{i}.fits" for i in range(n)],
            "ms_path": [f"/ms/{i}.ms" for i in range(n)],
            "noise_jy": pd.array(values, dtype="Float64"),
        }
    )


def test_tiles_are_drawn_with_what_is_expected(ax: Axes) -> None:
    """Each tile must stand at its value, in mJy; the night's median and that before be lines."""
    made = tiles([0.010, 0.012, 0.030, None])
    chart = tiles_chart(made, "noise_jy", before=0.011, holds={"/ms/1.ms", "/ms/3.ms"}, source="S")
    assert chart.points[0].y == pytest.approx([10.0, 12.0, 30.0])
    assert chart.points[0].keys == ("/images/0.fits", "/images/1.fits", "/images/2.fits")
    assert chart.points[1].keys == ("/images/1.fits",)
    assert [level.at for level in chart.levels] == pytest.approx([12.0, 11.0])
    for words in ("3 of 4 tile images, night 2025-10-08", "median 12 mJy/beam, 10 to 30",
                  "nights before: median 11 mJy/beam", "S was measured in 1"):  # fmt: skip
        assert words in chart.alt
    plot_tiles(made, "noise_jy", ax)
    assert any("median 12" in str(line.get_label()) for line in ax.lines)
    ringed = tiles_chart(made, "noise_jy", selected="/images/2.fits")
    assert ringed.selected == {"/images/2.fits"}
    none = tiles_chart(tiles([None, None]), "noise_jy")
    assert none.empty == "no tile here has a noise"
    assert "none has one" in none.alt
    with pytest.raises(errors.InvalidInput, match="noise_jy"):
        tiles_chart(made, "colour")
