"""Opening: which files are meant, and where each setting came from."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.config import read_config


@pytest.fixture
def unified(tmp_path: Path, season_folder) -> Path:
    folder = tmp_path / "site" / "state" / "db"
    shutil.copytree(season_folder(), folder)
    return folder


@pytest.fixture
def split(tmp_path: Path, season_folder) -> Path:
    folder = tmp_path / "split"
    shutil.copytree(season_folder("split"), folder)
    return folder


async def layout_of(*args, **kwargs) -> tuple[str, Path]:
    async with cl.open(*args, **kwargs) as lab:
        return lab.layout.name, lab.layout.path


async def test_a_folder_a_file_or_a_data_root_may_be_given(unified, split):
    """A folder, a unified file, a products file and a data root all open."""
    file = unified / "pipeline.sqlite3"
    assert await layout_of(unified) == ("unified", file)
    assert await layout_of(str(file)) == ("unified", file)
    assert await layout_of(unified.parent.parent) == ("unified", file)
    assert await layout_of(split) == ("split", split / "products.sqlite3")
    assert await layout_of(split / "products.sqlite3") == ("split", split / "products.sqlite3")


async def test_the_environment_is_read_when_opening(unified, split, monkeypatch):
    """A variable that is set after the import is seen, and the better one wins."""
    monkeypatch.setenv("PIPELINE_STATE_DIR", str(unified))
    assert (await layout_of())[0] == "unified"
    monkeypatch.setenv("PIPELINE_STATE_DIR", str(split))
    assert (await layout_of())[0] == "split"
    monkeypatch.setenv("PIPELINE_PRODUCTS_DB", str(split / "products.sqlite3"))
    assert (await layout_of())[0] == "split"
    monkeypatch.setenv("PIPELINE_DB", str(unified / "pipeline.sqlite3"))
    async with cl.open() as lab:
        assert lab.layout.name == "unified"
        assert lab.config.origin["pipeline_db"] == "PIPELINE_DB"
        assert "PIPELINE_DB wins" in repr(lab)
    assert (await layout_of(split))[0] == "split"


async def test_the_registry_may_lie_elsewhere(split, tmp_path, monkeypatch):
    """PIPELINE_CAL_REGISTRY_DB names the registry of PIPELINE_PRODUCTS_DB."""
    registry = (split / "cal_registry.sqlite3").rename(tmp_path / "r.sqlite3")
    monkeypatch.setenv("PIPELINE_PRODUCTS_DB", str(split / "products.sqlite3"))
    async with cl.open() as lab:
        assert len(await lab.caltables.coverage()) == 0
        with pytest.raises(errors.AbsentFeature, match="no cal_registry"):
            await lab.caltables.list_caltables()
        ms = (await lab.ms.list_ms(limit=1))[0]
        assert "cal_registry" in (await lab.ms.get_primary_cal_table(ms.path)).why
        assert "no cal_registry" in repr(lab)
    monkeypatch.setenv("PIPELINE_CAL_REGISTRY_DB", str(registry))
    async with cl.open() as lab:
        assert len(await lab.caltables.coverage()) > 0


async def test_without_any_setting_the_current_folder_is_looked_in(unified, monkeypatch, tmp_path):
    """The current folder, then its state/db, then an error that lists what was looked for."""
    monkeypatch.chdir(unified)
    assert (await layout_of())[1].samefile(unified / "pipeline.sqlite3")
    monkeypatch.chdir(unified.parent.parent)
    assert (await layout_of())[1].samefile(unified / "pipeline.sqlite3")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(errors.DatabaseNotFound) as caught:
        await cl.open()
    for looked in ("pipeline.sqlite3", "products.sqlite3", "state/db", "PIPELINE_DB"):
        assert looked in str(caught.value)


async def test_a_folder_with_both_layouts_is_unified_and_says_so(unified, split):
    """Both layouts in one folder: the unified file, with a note."""
    shutil.copy(split / "products.sqlite3", unified)
    async with cl.open(unified) as lab:
        assert lab.layout.name == "unified"
        assert "both layouts" in repr(lab)


async def test_a_registry_alone_is_refused(split):
    """A cal registry names no Measurement Sets, and the error says what to open."""
    with pytest.raises(errors.UnknownLayout, match=r"products\.sqlite3 beside it"):
        await cl.open(split / "cal_registry.sqlite3")


async def test_what_a_variable_names_must_be_there(tmp_path, monkeypatch):
    """A missing file is named together with the variable that named it."""
    monkeypatch.setenv("PIPELINE_DB", str(tmp_path / "gone.sqlite3"))
    with pytest.raises(errors.DatabaseNotFound, match=r"gone\.sqlite3 \(named by PIPELINE_DB\)"):
        await cl.open()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DB_CONNECTION_TIMEOUT", "soon"),
        ("DB_CONNECTION_TIMEOUT", "-1"),
        ("DB_CONNECTION_TIMEOUT", "nan"),
        ("CONTIMG_LAB_LOG_ZONE", "Mars/Olympus"),
        ("CONTIMG_LAB_LOG_ZONE", "../etc/passwd"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable, value):
    """A bad setting is a ConfigError with its variable and value."""
    with pytest.raises(errors.ConfigError, match=variable):
        read_config(environ={variable: value})


def test_every_setting_says_where_it_came_from(tmp_path):
    """Arguments, variables and defaults are told apart, and lists of folders are taken apart."""
    config = read_config(
        tmp_path,
        environ={
            "DSA110_ALLOWED_LOG_ROOTS": f"{tmp_path}/a, {tmp_path}/b c,",
            "CONTIMG_LAB_IMAGE_ROOTS": "~/images",
            "DB_CONNECTION_TIMEOUT": "2.5",
        },
    )
    assert config.log_roots == (tmp_path / "a", tmp_path / "b c")
    assert config.image_roots == (Path("~/images").expanduser(),)
    assert config.timeout_s == 2.5
    assert config.origin["path"] == "argument"
    assert config.origin["log_roots"] == "DSA110_ALLOWED_LOG_ROOTS"
    assert config.origin["ms_roots"] == config.origin["log_zone"] == "default"
    assert set(config.origin) == set(config.__dataclass_fields__) - {"origin"}
    assert "2.5  (DB_CONNECTION_TIMEOUT)" in repr(config)
    with pytest.raises(AttributeError):
        config.timeout_s = 1.0


def test_a_forgotten_await_says_so():
    """The repr of what open() and demo() return tells to write await."""
    assert "await" in repr(cl.open("nowhere"))
    assert "await" in repr(cl.demo())


async def test_the_identity_outlives_growth_and_copies(unified, tmp_path):
    """Identity stays when rows are added and when the file is copied; another season's differs."""
    async with cl.open(unified) as lab:
        first = await lab.identity()
    copy = Path(shutil.copy(unified / "pipeline.sqlite3", tmp_path / "elsewhere.sqlite3"))
    writer = sqlite3.connect(copy)
    writer.execute("INSERT INTO ms_index (path, created_at) VALUES ('/ms/new.ms', 4e9)")
    writer.commit()
    writer.close()
    async with cl.open(copy) as lab:
        assert await lab.identity() == first
    async with cl.demo(seed=7, nights=8, cache=tmp_path / "cache") as lab:
        assert await lab.identity() != first
