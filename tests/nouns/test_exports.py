"""Exports: what is written is read again, with units, gaps and where it comes from."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import votable
from astropy.table import MaskedColumn, Table
from astropy.time import Time
from astropy.timeseries import TimeSeries

import contimg_lab as cl
from contimg_lab import errors, export

# hostile names become ids of the file; pytest-xdist cannot pass these warnings on
pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOWarning")

FORMATS = ("ecsv", "votable", "parquet")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def write(kind: str, *args, **options) -> Path:
    return getattr(export, f"to_{kind}")(*args, **options)


def read(kind: str, path: Path) -> pd.DataFrame:
    return getattr(export, f"read_{kind}")(path)


async def every_table(lab: cl.Lab) -> dict[str, pd.DataFrame]:
    """Each kind of DataFrame that a Lab makes."""
    tables = {n: await getattr(lab, n).table() for n in ("jobs", "ms", "caltables", "images")}
    tables["sources"] = await lab.sources.table()
    tables["variability"] = await lab.sources.variability()
    tables["candidates"] = await lab.sources.candidates()
    mixed = tables["variability"]["n_excluded"].idxmax()
    curve = await lab.sources.light_curve(mixed)
    tables["curve"] = curve.to_pandas(excluded=True)
    return tables


def whole_text(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The table with what a text file cannot hold replaced or stripped, as it is documented."""
    out = table.copy()
    for name in out.columns:
        if str(out[name].dtype) in ("string", "str"):
            out[name] = out[name].str.replace(CONTROL, "\ufffd", regex=True)
            if kind == "ecsv":
                out[name] = out[name].str.strip()
    return out


async def test_every_table_is_read_again_as_it_was(lab, tmp_path):
    """Each table of each layout comes back from each format: types, gaps, index, units, attrs."""
    for name, table in (await every_table(lab)).items():
        for kind in FORMATS:
            path = write(kind, table, tmp_path / f"{name}.{kind}")
            again = read(kind, path)
            wanted = table if kind == "parquet" else whole_text(table, kind)
            pd.testing.assert_frame_equal(again, wanted, obj=f"{name} as {kind}")
            assert again.attrs["units"] == dict(table.attrs["units"]), (name, kind)
            assert set(table.attrs) <= {*again.attrs, "provenance"}


async def test_astropy_reads_units_and_gaps(lab, tmp_path):
    """astropy alone finds the units, and masks what is missing rather than making it zero."""
    for name, table in (await every_table(lab)).items():
        flat = table.reset_index() if table.index.name else table
        texts = Table.read(export.to_ecsv(table, tmp_path / f"{name}.ecsv"))
        xml = Table.read(export.to_votable(table, tmp_path / f"{name}.vot"), format="votable")
        for column, unit in table.attrs["units"].items():
            if unit in ("Jy", "Jy/beam", "deg (ICRS)", "d (MJD, UTC)", "s (Unix, UTC)", "h", "s"):
                wanted = u.Unit(unit.split(" (")[0])
                assert texts[column].unit == xml[column].unit == wanted, (name, column)
        for column in flat.columns:
            gaps = flat[column].isna().to_numpy()
            if str(flat[column].dtype) in ("Float64", "Int64", "boolean"):
                for read_back in (texts[column], xml[column]):
                    mask = np.ma.getmaskarray(np.ma.asarray(read_back))
                    assert (mask == gaps).all(), (name, column)
            if isinstance(flat[column].dtype, pd.DatetimeTZDtype) and not gaps.all():
                first = int(np.flatnonzero(~gaps)[0])
                when = pd.Timestamp(str(texts[column][first]))
                assert when == flat[column].iloc[first]


async def test_provenance_is_in_the_file(demo, tmp_path):
    """Identity, layout, version, times, call and parameters stand in each format, in a line too."""
    table = await demo.sources.candidates(expression="eta > 3")
    identity = await demo.identity()
    said = {}
    path = export.to_ecsv(table, tmp_path / "c.ecsv")
    said["ecsv"] = Table.read(path).meta["provenance"]
    path = export.to_votable(table, tmp_path / "c.vot")
    infos = {i.name: i.value for i in votable.parse(path).resources[0].infos}
    said["votable"] = {k.removeprefix("provenance_"): v for k, v in infos.items()}
    import pyarrow.parquet as pq

    schema = pq.read_schema(export.to_parquet(table, tmp_path / "c.parquet"))
    said["parquet"] = json.loads(schema.metadata[b"provenance"])
    assert schema.field("weighted_mean_jy").metadata[b"unit"].startswith(b"Jy")
    for kind, told in said.items():
        assert told["database"] == identity, kind
        assert told["layout"] == "unified"
        assert told["files"] == "pipeline.sqlite3"
        assert told["version"] == cl.__version__
        assert told["call"] == "sources.candidates"
        assert json.loads(told["parameters"])["expression"] == "eta > 3"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["exported_at"])
        assert told["read_at"] <= told["exported_at"]
        line = f"contimg_lab {cl.__version__}, database {identity[:12]}, {told['exported_at']}, "
        assert told["line"].startswith(line + "sources.candidates(")


async def test_no_folder_of_the_machine_unless_asked(demo, tmp_path, season_folder):
    """Provenance names files, never folders; notes put in what the user wants."""
    table = await demo.sources.variability()
    folder = str(season_folder())
    for kind in FORMATS:
        path = write(kind, table, tmp_path / f"v.{kind}")
        assert folder.encode() not in path.read_bytes()
        path = write(kind, table, path, overwrite=True, notes={"folder": folder})
        assert read(kind, path).attrs["provenance"]["folder"] == folder
    with pytest.raises(errors.InvalidInput, match="notes"):
        export.to_ecsv(table, tmp_path / "n.ecsv", notes="me")


async def test_many_names_are_told_by_their_number_and_sum(demo):
    """The parameters of a call for hundreds of sources stay one line."""
    names = [s.source_id for s in await demo.sources.list_sources(limit=None)]
    assert len(names) > 20
    table = await demo.sources.variability(names)
    told = json.loads(table.attrs["provenance"]["parameters"])["source_ids"]
    assert re.fullmatch(rf"{len(names)} values, SHA-256 [0-9a-f]{{12}}", told)
    few = await demo.sources.variability(names[:2])
    assert json.loads(few.attrs["provenance"]["parameters"])["source_ids"] == names[:2]


async def test_light_curve_comes_back_whole(lab, tmp_path):
    """A light curve with epochs left out is the same curve after each format."""
    table = await lab.sources.variability()
    curve = await lab.sources.light_curve(table["n_excluded"].idxmax())
    assert curve.provenance.call == "sources.light_curve"
    assert pickle.loads(pickle.dumps(curve)).provenance == curve.provenance
    for kind in FORMATS:
        path = getattr(curve, f"to_{kind}")(tmp_path / f"c.{kind}", excluded=True)
        again = export.from_pandas(read(kind, path))
        same(again, curve)
        assert again.provenance == curve.provenance
    same(cl.LightCurve.from_astropy(Table.read(tmp_path / "c.ecsv")), curve)
    few = read("ecsv", curve.to_ecsv(tmp_path / "few.ecsv"))
    assert len(few) == len(curve)
    assert few.attrs["n_excluded"] == len(curve.excluded)


def same(one: cl.LightCurve, other: cl.LightCurve) -> None:
    """Every array and value of two light curves is the same."""
    for a, b in ((one, other), (one.excluded, other.excluded)):
        for field in dataclasses.fields(a):
            if field.name in ("excluded", "provenance"):
                continue
            left, right = getattr(a, field.name), getattr(b, field.name)
            if isinstance(left, np.ndarray) and left.dtype == object:
                assert left.tolist() == right.tolist(), field.name
            else:
                np.testing.assert_array_equal(left, right, err_msg=field.name)


async def test_mixed_flux_columns_survive(demo, tmp_path):
    """A curve of both flux columns has no one unit, says so, and comes back with each epoch's."""
    curve = await demo.sources.light_curve((await demo.sources.table())["source_id"][0])
    kinds = curve.flux_column.copy()
    kinds[::2] = "peak_jyb"
    mixed = dataclasses.replace(curve, flux_column=kinds)
    for kind in FORMATS:
        path = getattr(mixed, f"to_{kind}")(tmp_path / f"m.{kind}")
        again = read(kind, path)
        assert again.attrs["units"]["flux_jy"] == "Jy or Jy/beam (see flux_column)"
        same(export.from_pandas(again), dataclasses.replace(mixed, excluded=empty(mixed)))
    column = Table.read(tmp_path / "m.ecsv")["flux_jy"]
    assert column.unit is None
    assert "see flux_column" in column.description


def empty(curve: cl.LightCurve):
    parts = {
        f.name: getattr(curve.excluded, f.name)[:0] for f in dataclasses.fields(curve.excluded)
    }
    return type(curve.excluded)(**parts)


async def test_time_series_and_back(demo):
    """to_astropy and from_astropy undo each other, for the epochs that count and have a time."""
    curve = await demo.sources.light_curve((await demo.sources.table())["source_id"][3])
    again = export.from_astropy(curve.to_astropy())
    np.testing.assert_array_equal(again.mjd, curve.mjd[np.isfinite(curve.mjd)])
    np.testing.assert_array_equal(again.flux_jy, curve.flux_jy)
    assert (again.source_id, again.ra_deg) == (curve.source_id, curve.ra_deg)
    assert again.provenance == curve.provenance


def test_a_table_from_elsewhere():
    """Other units are converted, other time scales become UTC, and bad rows are left out."""
    times = Time([60003.0, 60001.0, 60002.0, 60004.0], format="mjd", scale="tai")
    series = TimeSeries(time=times)
    series["flux"] = [3.0, 1.0, np.inf, 4.0] * u.mJy
    series["flux_err"] = [0.1, 0.1, 0.1, -0.1] * u.mJy
    curve = export.from_astropy(series, source_id="mine")
    assert curve.source_id == "mine"
    np.testing.assert_allclose(curve.flux_jy, [0.001, 0.003])
    np.testing.assert_allclose((curve.mjd - [60001.0, 60003.0]) * 86400, -37, atol=1e-3)
    assert curve.excluded.reason.tolist() == ["not finite", "error not positive"]
    assert curve.row_id.tolist() == [-1, -1]
    assert curve.provenance is None
    beams = Table({"mjd": [60000.0], "flux": [1.0], "flux_err": [0.1]})
    beams["flux"].unit = beams["flux_err"].unit = u.Jy / u.beam
    assert export.from_astropy(beams).flux_unit == "Jy/beam"
    gaps = Table({"mjd": [1.0, 2.0], "flux_jy": MaskedColumn([1.0, 2.0], mask=[0, 1])})
    gaps["flux_err_jy"] = [0.1, 0.1]
    kept = export.from_astropy(gaps)
    assert (len(kept), kept.excluded.reason.tolist()) == (1, ["missing"])
    assert gaps["flux_err_jy"].data.flags.writeable


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (Table({"flux": [1.0] * u.Jy, "flux_err": [1.0] * u.Jy}), "no column time"),
        (Table({"mjd": [1.0], "flux_err": [1.0] * u.Jy}), "no column flux"),
        (Table({"mjd": [1.0], "flux": [1.0], "flux_err": [1.0] * u.Jy}), "no unit"),
        (Table({"mjd": [1.0], "flux": [1.0] * u.m, "flux_err": [1.0] * u.Jy}), "neither Jy"),
        (Table({"mjd": [1.0], "flux": [1.0] * u.Jy / u.beam, "flux_err": [1.0] * u.Jy}), "one is"),
        (Table({"mjd": ["x"], "flux_jy": [1.0], "flux_err_jy": [1.0]}), "no numbers"),
        ("a path", "no astropy Table"),
    ],
)
def test_tables_that_are_no_light_curve(table, says):
    """What is wrong with a table is said in one typed error."""
    with pytest.raises(errors.InvalidInput, match=says):
        export.from_astropy(table)


def test_gaps_of_every_type_stay_gaps(tmp_path):
    """Missing numbers, flags, texts and times are none of 0, False, "" or 1970 afterwards."""
    made = pd.DataFrame(
        {
            "number": pd.array([1.5, None, -np.inf], "Float64"),
            "undefined": [np.nan, 0.0, 1 / 3],
            "whole": pd.array([2**60, None, -1], "Int64"),
            "flag": pd.array([True, None, False], "boolean"),
            "text": pd.array(["", None, ' "a,b";<&>\n\u00fc\u65e5 x'], "string"),
            "words": [None, "", " a "],
            "when": pd.to_datetime(["2025-10-09T01:02:03.456789Z", None, None], utc=True).as_unit(
                "us"
            ),
            "gone": pd.Series([None] * 3, dtype="object"),
        }
    )
    for kind in FORMATS:
        again = read(kind, write(kind, made, tmp_path / f"g.{kind}"))
        wanted = made
        if kind == "ecsv":  # spaces at the ends of text are lost, as its docstring says
            wanted = made.assign(text=made["text"].str.strip(), words=made["words"].str.strip())
        pd.testing.assert_frame_equal(again, wanted, obj=kind)
        assert again.attrs["provenance"]["database"] == "not recorded"


@pytest.mark.parametrize("kind", FORMATS)
def test_hostile_text_makes_no_broken_file(tmp_path, kind):
    """Control characters, lone surrogates and XML in text, names and notes can be read again."""
    texts = ["\x00\x01", "\ud800", "]]>&<", "\r\n\x85\u2028", "a\tb", '"', "#", "-- "]
    made = pd.DataFrame({'a<b&"c': pd.Series(texts, dtype=object), "n": range(8)})
    path = write(kind, made, tmp_path / "h", notes={"who <&> \x00": "\x00\ud800\n"})
    again = read(kind, path)
    assert again.shape == made.shape
    assert again["n"].tolist() == list(range(8))
    assert again.iloc[2, 0] == "]]>&<"


@pytest.mark.parametrize("kind", FORMATS)
def test_paths_that_cannot_be_written(tmp_path, kind, season_folder):
    """No path, no folder, a folder, a file that is there and a database are refused by name."""
    made = pd.DataFrame({"x": [1.0]})
    there = write(kind, made, tmp_path / "there")
    before = there.read_bytes()
    blocked = tmp_path / "there" / "below"
    bad = [None, 3, "", "\0", "x" * 5000, tmp_path, tmp_path / "no folder" / "x", blocked, there]
    for path in bad:
        with pytest.raises(errors.InvalidInput):
            write(kind, made, path)
    assert there.read_bytes() == before
    base = tmp_path / "copy.sqlite3"
    base.write_bytes((season_folder() / "pipeline.sqlite3").read_bytes()[:4096])
    with pytest.raises(errors.InvalidInput, match="database"):
        write(kind, made, base, overwrite=True)
    write(kind, pd.DataFrame({"x": [2.0]}), there, overwrite=True)
    assert read(kind, there)["x"].tolist() == [2.0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.sqlite3", "there"]


@pytest.mark.parametrize("kind", FORMATS)
def test_files_that_cannot_be_read(tmp_path, kind):
    """An absent file, an empty one and one of another kind raise one typed error."""
    other = tmp_path / "other"
    other.write_bytes(b"\x00\x01 no table\n")
    void = tmp_path / "void"
    void.touch()
    for path in (tmp_path / "absent", tmp_path, other, void):
        with pytest.raises(errors.InvalidInput):
            read(kind, path)


@pytest.mark.parametrize("kind", FORMATS)
def test_frames_that_cannot_be_written(tmp_path, kind):
    """Two columns of one name, no columns, and what is no DataFrame are refused."""
    two = pd.DataFrame([[1, 2]], columns=["a", "a"])
    for made in (two, pd.DataFrame(), [1, 2], None):
        with pytest.raises(errors.InvalidInput):
            write(kind, made, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    none = read(kind, write(kind, pd.DataFrame({"x": pd.array([], "Float64")}), tmp_path / "x"))
    assert (len(none), list(none.columns)) == (0, ["x"])


async def test_lightkurve(demo):
    """With lightkurve its LightCurve is made, with units; without it the error names the extra."""
    curve = await demo.sources.light_curve((await demo.sources.table())["source_id"][0])
    if importlib.util.find_spec("lightkurve") is None:
        with pytest.raises(errors.AbsentFeature, match=r"contimg-lab\[lightkurve\]"):
            curve.to_lightkurve()
        return
    made = curve.to_lightkurve()
    assert made.flux.unit == u.Jy
    assert made.meta["LABEL"] == curve.source_id
    np.testing.assert_array_equal(made.flux.value, curve.flux_jy)
    np.testing.assert_array_equal(export.from_astropy(made).flux_jy, curve.flux_jy)


async def test_a_file_is_whole_or_absent(demo, tmp_path, season_folder: Callable[..., Path]):
    """A writer that fails half way leaves the old file as it was and nothing beside it."""
    from contimg_lab.services.exports._files import write_whole

    path = export.to_ecsv(await demo.sources.table(limit=2), tmp_path / "t.ecsv")
    before = path.read_bytes()

    def fail(stream) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(errors.InvalidInput, match="No space left"):
        write_whole(path, fail, overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
