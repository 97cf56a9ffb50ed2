"""Binder's files, followed in a fresh virtual environment as an image builder follows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BINDER = TOP / "binder"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A fresh environment that has what ``requirements.txt`` asks for, and nothing else."""
    home = tmp_path_factory.mktemp("binder")
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True, timeout=120)
    scripts = home / "venv" / "bin"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JUPYTER"))}
    env = kept | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(home / "venv"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    # pip keeps what it downloads where it always does
    pip = env | {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")}
    subprocess.run(
        [scripts / "python", "-m", "pip", "install", "-qq", "-r", BINDER / "requirements.txt"],
        cwd=TOP,
        env={k: v for k, v in pip.items() if v},
        check=True,
        timeout=900,
    )
    return env


@pytest.fixture(scope="module")
def built(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What ``postBuild`` said."""
    assert os.access(BINDER / "postBuild", os.X_OK)
    return subprocess.run(
        [BINDER / "postBuild"],
        cwd=TOP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_python_is_new_enough() -> None:
    """The Python that Binder is told to take may run the package."""
    found = re.fullmatch(r"python-3\.(\d+)\s*", (BINDER / "runtime.txt").read_text())
    assert found is not None
    wanted = re.search(r'requires-python = ">=3\.(\d+)"', (TOP / "pyproject.toml").read_text())
    assert wanted is not None
    assert int(found[1]) >= int(wanted[1])


def test_the_package_is_installed_whole(environment: dict[str, str]) -> None:
    """The installed package is a copy of its own, and has the explore notebook with it."""
    code = (
        "import contimg_lab, contimg_lab.lab\n"
        "from contimg_lab.cli._notebook import shipped_notebook\n"
        "print(contimg_lab.__file__, shipped_notebook(), sep='\\n')"
    )
    said = subprocess.run(
        ["python", "-c", code],
        cwd=environment["VIRTUAL_ENV"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for line in said.stdout.splitlines():
        assert line.startswith(environment["VIRTUAL_ENV"])


def test_post_build(built: subprocess.CompletedProcess[str]) -> None:
    """After the build the season is there, and its last night was told."""
    assert built.returncode == 0, built.stderr
    assert "Last night: " in built.stdout
    assert "Which sources vary" in built.stdout


def test_opens_the_explore_notebook(
    built: subprocess.CompletedProcess[str], environment: dict[str, str]
) -> None:
    """JupyterLab, started as Binder starts it, opens the explore notebook."""
    assert built.returncode == 0, built.stderr
    wanted = json.loads((BINDER / "jupyter_lab_config.json").read_text())
    page = wanted["LabApp"]["default_url"]
    assert (TOP / page.removeprefix("/lab/tree/")).is_file()
    server = subprocess.Popen(
        ["jupyter", "lab", "--no-browser", "--allow-root", "--IdentityProvider.token=", "--port=0"],
        cwd=TOP,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = None
        for line in server.stdout:
            found = re.search(r"http://localhost:(\d+)/", line)
            if found is not None:
                address = f"http://localhost:{found[1]}/"
                break
        assert address is not None
        assert landing(address).endswith(page)
    finally:
        server.terminate()
        server.communicate(timeout=60)


def landing(address: str) -> str:
    """Where a browser ends up that asks for the top page."""
    deadline = time.monotonic() + 60.0
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return str(answer.geturl())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
