"""The house stands: every room is whole, small, documented and imports downwards only."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Union, get_args, get_origin, get_type_hints

import pytest

import contimg_lab

TOP = Path(__file__).resolve().parents[2]
PACKAGE = TOP / "contimg_lab"
FILES = sorted(PACKAGE.rglob("*.py"))
NOUNS = ("caltables", "images", "jobs", "ms", "sources")
HEAVY = ("aiosqlite", "astropy", "ipywidgets", "matplotlib", "numpy", "pandas", "scipy")


def modules() -> list[ModuleType]:
    """Every module of the package but the one that runs when it is imported."""
    names = [m.name for m in pkgutil.walk_packages(contimg_lab.__path__, "contimg_lab.")]
    return [importlib.import_module(n) for n in names if not n.endswith("__main__")]


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, each by name."""
    rank = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return (rank, name)


@pytest.mark.parametrize("room", ["records", "repositories", "services"])
def test_grid_is_whole(room: str) -> None:
    """Records, repositories and services have a file for every noun."""
    assert set(NOUNS) <= {path.stem for path in (PACKAGE / room).glob("*.py")}


def test_each_noun_is_on_the_lab(season_folder) -> None:
    """Every noun is an attribute of an open Lab, with a table."""
    from contimg_lab import blocking

    with blocking.open(season_folder()) as lab:
        assert all(len(getattr(lab, noun).table()) for noun in NOUNS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_says_what_it_is_for(path: Path) -> None:
    """The first line of every module is a docstring that is one finished sentence."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), "the docstring comes first"
    first = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
    assert len(first) > 20
    assert first.endswith((".", ":")), first


def test_public_names() -> None:
    """Every ``__all__`` is sorted and real, and what it names is documented."""
    faults = []
    for module in modules():
        named = getattr(module, "__all__", None)
        if named is None:
            public = [
                n
                for n, v in vars(module).items()
                if n[0] != "_" and getattr(v, "__module__", None) == module.__name__
            ]
            faults += [f"{module.__name__} has no __all__ but {public}"] * bool(public)
            continue
        if list(named) != sorted(named, key=order):
            faults.append(f"{module.__name__}: not sorted: {named}")
        for name in named:
            if not hasattr(module, name):
                faults.append(f"{module.__name__}.{name} does not exist")
                continue
            value = getattr(module, name)
            if (inspect.isclass(value) or inspect.isroutine(value)) and not inspect.getdoc(value):
                faults.append(f"{module.__name__}.{name} is not documented")
    assert not faults


def test_public_methods_are_documented() -> None:
    """Every public method that a reader can call from the Lab says what it does."""
    from contimg_lab.lab import Lab

    faults = []
    services = [importlib.import_module(f"contimg_lab.services.{n}") for n in (*NOUNS, "qa")]
    kinds = [Lab, *(getattr(m, n) for m in services for n in m.__all__)]
    for kind in filter(inspect.isclass, kinds):
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") and not inspect.getdoc(method):
                faults.append(f"{kind.__name__}.{name}")
    assert not faults


def test_numbers_have_units() -> None:
    """Every numeric field of a record has a unit, or says that none applies."""
    faults = []
    rooms = [m for m in modules() if m.__name__.startswith("contimg_lab.records.")]
    for module in rooms:
        for name in getattr(module, "__all__", ()):
            record = getattr(module, name)
            if not dataclasses.is_dataclass(record):
                continue
            hints = get_type_hints(record)
            for field in dataclasses.fields(record):
                hint = hints[field.name]
                is_union = get_origin(hint) in (Union, type(int | None))
                kinds = set(get_args(hint)) if is_union else {hint}
                if kinds & {int, float} and "unit" not in field.metadata:
                    faults.append(f"{name}.{field.name}")
                if field.metadata.get("unit") is None and re.search(
                    r"_(mjd|jy|jyb|mjy|deg|s|arcsec|hours|ghz|mhz|bytes)$", field.name
                ):
                    faults.append(f"{name}.{field.name} names a unit and has none")
    assert not faults


def test_modules_are_small() -> None:
    """No module is over 400 lines, and the median is under 150."""
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {str(path): n for path, n in sizes.items() if n > 400} == {}
    assert statistics.median(sizes.values()) < 150


def test_imports_point_downwards() -> None:
    """The import contracts of pyproject.toml are kept."""
    script = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([script], cwd=TOP, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stdout


def test_import_is_cheap() -> None:
    """``import contimg_lab`` imports nothing heavy, and reads no setting."""
    code = f"import sys, contimg_lab; print([m for m in {HEAVY!r} if m in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.strip() == "[]"


def test_versions_agree() -> None:
    """The package, its metadata, the change log and the citation name the same version."""
    version = contimg_lab.__version__
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == version
    assert f"## [{version}]" in (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {version}\n" in (TOP / "CITATION.cff").read_text(encoding="utf-8")


def test_only_the_usual_files_at_the_top() -> None:
    """Nothing but the rooms of the house and the usual root files is kept at the top."""
    said = subprocess.run(
        ["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, timeout=60
    )
    if said.returncode != 0:
        pytest.skip("not a git checkout")
    tops = {name.split("/")[0] for name in said.stdout.split("\0") if name}
    rooms = {"contimg_lab", "notebooks", "tests", "binder", ".ci", ".github"}
    usual = {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "pyproject.toml", ".gitignore"}
    assert tops <= rooms | usual
