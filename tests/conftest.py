"""What every test may use: made seasons of every layout, and the shared databases if there."""

from __future__ import annotations

import shutil
import signal
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import contimg_lab as cl
from contimg_lab.demo import Season, ensure_season

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

# a runner may start us with interrupts ignored, and the commands under test would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# no test is held against a clock: a busy machine is no defect
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
MADE = {
    "unified": {},
    "split": {"layout": "split"},
    "split-old": {"layout": "split-old"},
    "untidy": {"untidy": True},
}
UNTIDY = MADE["untidy"]
GIVEN = ("unified", "split", "split-old", "practice")


@pytest.fixture(scope="session")
def season_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folder of a made season: made once a session, to be read only."""
    cache = tmp_path_factory.mktemp("seasons")

    def folder(layout: str = "unified", untidy: bool = False) -> Path:
        return ensure_season(Season(layout=layout, untidy=untidy), cache)

    return folder


# where the shared databases are, they stand for the layouts; the made ones then are for the slow
# profile, apart from the one with damaged rows
EVERY = [
    pytest.param(
        f"made {name}", marks=pytest.mark.slow if SHARED.is_dir() and args != UNTIDY else ()
    )
    for name, args in MADE.items()
]


@pytest.fixture(scope="session", params=[*EVERY, *(f"shared {g}" for g in GIVEN)])
def database_folder(request: pytest.FixtureRequest, season_folder: Callable[..., Path]) -> Path:
    """Folder of each kind of database: every made season, and every shared one if there."""
    origin, name = request.param.split(" ", 1)
    if origin == "made":
        return season_folder(**MADE[name])
    if not (SHARED / name).is_dir():
        warnings.warn(f"no {SHARED / name}: tested on made seasons only", stacklevel=1)
        pytest.skip(f"the folder of shared databases is absent ({SHARED})")
    return SHARED / name


@pytest.fixture
async def lab(database_folder: Path) -> AsyncIterator[cl.Lab]:
    """A Lab on each kind of database."""
    async with cl.open(database_folder) as opened:
        yield opened


@pytest.fixture
async def demo(season_folder: Callable[..., Path]) -> AsyncIterator[cl.Lab]:
    """A Lab on the made unified season."""
    async with cl.open(season_folder()) as opened:
        yield opened


@pytest.fixture
def copy_of(tmp_path: Path, season_folder: Callable[..., Path]) -> Callable[..., Path]:
    """A private copy of a made season, to be changed at will."""

    def copy(**kind: object) -> Path:
        folder = tmp_path / "season"
        shutil.copytree(season_folder(**kind), folder)
        return folder

    return copy


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine that runs the tests do not reach them."""
    for name in (
        "PIPELINE_DB",
        "PIPELINE_PRODUCTS_DB",
        "PIPELINE_CAL_REGISTRY_DB",
        "PIPELINE_STATE_DIR",
        "DB_CONNECTION_TIMEOUT",
        "DSA110_ALLOWED_MS_ROOTS",
        "DSA110_ALLOWED_LOG_ROOTS",
        "CONTIMG_LAB_IMAGE_ROOTS",
        "CONTIMG_LAB_LOG_ZONE",
        "CONTIMG_LAB_LEDGER",
    ):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow profile out unless it is asked for: ``pytest -m slow``."""
    if "slow" in config.option.markexpr:
        return
    left = [item for item in items if item.get_closest_marker("slow")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all pages."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        expect.set_options(timeout=15_000)
        yield browser
        browser.close()
