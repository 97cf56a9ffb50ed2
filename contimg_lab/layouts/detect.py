"""Find the files that were meant, and say which layout they are; raises, never None."""

from __future__ import annotations

from pathlib import Path

from contimg_lab.config import Config
from contimg_lab.errors import DatabaseNotFound, UnknownLayout
from contimg_lab.layouts import split as _split
from contimg_lab.layouts import unified as _unified
from contimg_lab.layouts._layout import Layout

__all__ = ["detect"]


def detect(config: Config) -> Layout:
    """Decide which files the settings name.

    The argument of ``open`` wins, then ``PIPELINE_DB``, then ``PIPELINE_PRODUCTS_DB`` (with
    ``PIPELINE_CAL_REGISTRY_DB``), then ``PIPELINE_STATE_DIR``, then the current folder and
    its ``state/db``.

    Raises
    ------
    DatabaseNotFound
        Nothing is there; the message lists what was looked for.
    UnknownLayout
        A cal registry was named alone: it holds no Measurement Sets.
    """
    if config.path is not None:
        return _from_path(config.path, config)
    if config.pipeline_db is not None:
        _must_exist(config.pipeline_db, "PIPELINE_DB")
        if config.pipeline_db.is_dir():
            return _from_folders(
                [config.pipeline_db], f"in PIPELINE_DB={config.pipeline_db}", config
            )
        notes = ("PIPELINE_PRODUCTS_DB is set too; PIPELINE_DB wins",) * bool(config.products_db)
        return _unified.unified(config.pipeline_db, notes=notes)
    if config.products_db is not None:
        _must_exist(config.products_db, "PIPELINE_PRODUCTS_DB")
        return _split.split(config.products_db, _registry(config.products_db, config))
    if config.state_dir is not None:
        folders = [config.state_dir, config.state_dir / "db"]
        return _from_folders(folders, f"in PIPELINE_STATE_DIR={config.state_dir}", config)
    here = Path.cwd()
    return _from_folders([here, here / "state" / "db"], f"in the current folder {here}", config)


def _from_path(path: Path, config: Config) -> Layout:
    if path.is_dir():
        return _from_folders([path, path / "state" / "db"], f"in the folder {path}", config)
    _must_exist(path, "the argument")
    if path.name == _split.REGISTRY_NAME:
        raise UnknownLayout(
            f"{path} is a cal registry, which names no Measurement Sets; "
            f"open the {_split.FILE_NAME} beside it, or the folder"
        )
    if path.name == _split.FILE_NAME:
        return _split.split(path, _registry(path, config))
    if path.name != _unified.FILE_NAME and (path.parent / _split.REGISTRY_NAME).is_file():
        registry = path.parent / _split.REGISTRY_NAME
        note = f"{path.name} read as a products file, since {registry.name} lies beside it"
        return _split.split(path, registry, notes=(note,))
    return _unified.unified(path)


def _from_folders(folders: list[Path], where: str, config: Config) -> Layout:
    for folder in folders:
        whole = folder / _unified.FILE_NAME
        products = folder / _split.FILE_NAME
        if whole.is_file():
            notes: tuple[str, ...] = ()
            if products.is_file():
                notes = (f"{folder} holds both layouts; reading {whole.name}",)
            return _unified.unified(whole, notes=notes)
        if products.is_file():
            return _split.split(products, _registry(products, config))
    looked = ", ".join(
        str(folder / name) for folder in folders for name in (_unified.FILE_NAME, _split.FILE_NAME)
    )
    raise DatabaseNotFound(
        f"no pipeline database {where}: looked for {looked}; give a path to open(), or set "
        "PIPELINE_DB, PIPELINE_PRODUCTS_DB or PIPELINE_STATE_DIR"
    )


def _registry(products: Path, config: Config) -> Path | None:
    # a path given by hand has its registry beside it; the environment's belongs to the
    # environment's products file
    if config.path is None and config.cal_registry_db is not None:
        _must_exist(config.cal_registry_db, "PIPELINE_CAL_REGISTRY_DB")
        return config.cal_registry_db
    beside = products.parent / _split.REGISTRY_NAME
    return beside if beside.is_file() else None


def _must_exist(path: Path, named_by: str) -> None:
    if not path.exists():
        raise DatabaseNotFound(
            f"no file {path} (named by {named_by}); check the path, or run contimg-lab doctor"
        )
