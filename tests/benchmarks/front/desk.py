"""JupyterLab and a headless browser, and notebooks in it whose cells are run one by one."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

import contimg_lab.cli

__all__ = ["Book", "Desk", "desk"]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
HERE = Path(__file__).resolve()
TESTS = HERE.parents[2]
START_S = 120.0
SETTINGS = {
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
    "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings": {"saveState": True},
}
CONFIG = {"jupyter_lab_config.json": {"LabApp": {"expose_app_in_browser": True}}}

_LISTEN = "() => front.listen()"
_ASK = """
async (code) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  const future = kernel.requestExecute({ code, store_history: false });
  let text = "";
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream" && content.name === "stdout") text += content.text;
    if (header.msg_type === "error") text += `\\n!${content.ename}: ${content.evalue}`;
  };
  await future.done;
  return text;
}
"""
_RUN = """
async ([at, wait]) => {
  const { content } = jupyterapp.shell.currentWidget;
  content.activeCellIndex = at;
  const ran = jupyterapp.commands.execute("notebook:run-cell");
  if (wait) await ran;
}
"""
_RESTART = """
async () => {
  const widget = jupyterapp.shell.currentWidget;
  await jupyterapp.commands.execute("notebook:clear-all-cell-outputs");
  await widget.sessionContext.session.kernel.restart();
  await widget.sessionContext.ready;
}
"""


class Book:
    """A notebook that is open, alone, on a page of its own."""

    def __init__(self, page: Any, name: str, desk: Desk) -> None:
        self.page = page
        self.name = name
        self._desk = desk
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable")

    def run(self, at: int, *, wait: bool = True) -> None:
        """Run a cell; without ``wait`` return at once."""
        self.page.evaluate(_RUN, [at, wait])

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the kernel."""
        code = f"import json as _json\nprint('@' + _json.dumps({expression}))"
        told = self.page.evaluate(_ASK, code)
        if "@" not in told or "\n!" in told:
            raise RuntimeError(f"{expression}: {told.strip()}")
        return json.loads(told.rpartition("@")[2])

    def restart(self) -> None:
        """Begin with a fresh kernel and no output."""
        self.page.evaluate(_RESTART)
        self.page.evaluate(_LISTEN)
        self.ask("0")

    def save(self) -> dict[str, Any]:
        """Save the notebook, and return what was written."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_timeout(300)
        file = self._desk.folder / self.name
        return json.loads(file.read_text(encoding="utf-8"))

    def heap_mb(self) -> float:
        """What the page's scripts hold, after a collection, in MB."""
        for _ in range(2):
            self._devtools.send("HeapProfiler.collectGarbage")
        told = self._devtools.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in told if m["name"] == "JSHeapUsedSize") / 1e6

    def pixels(self, path: Path) -> None:
        """Keep a picture of the page."""
        self.page.screenshot(path=path)


class Desk:
    """A running JupyterLab and a browser."""

    def __init__(self, root: str, token: str, folder: Path, browser: Any) -> None:
        self.root, self.token, self.folder = root, token, folder
        self._browser = browser

    @contextlib.contextmanager
    def book(self, name: str, cells: Sequence[str]) -> Iterator[Book]:
        """Open a new notebook; its kernel ends with it."""
        made = [nbformat.v4.new_code_cell(source.strip()) for source in cells]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        nbformat.write(
            nbformat.v4.new_notebook(cells=made, metadata=kernel), self.folder / f"{name}.ipynb"
        )
        context = self._browser.new_context(viewport={"width": 1400, "height": 1000})
        try:
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.add_init_script(path=HERE.with_name("page.js"))
            page.goto(
                f"{self.root}/lab/workspaces/{name}/tree/{name}.ipynb?token={self.token}&reset"
            )
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.evaluate(_LISTEN)
            yield Book(page, f"{name}.ipynb", self)
        finally:
            context.close()
            self._end_kernels()

    def _end_kernels(self) -> None:
        for session in self._call("GET", "api/sessions"):
            self._call("DELETE", f"api/sessions/{session['id']}")

    def _call(self, method: str, path: str) -> Any:
        asked = urllib.request.Request(
            f"{self.root}/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            told = answer.read()
        return json.loads(told) if told else None


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium; it ends with this."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def desk(browser: Any) -> Iterator[Desk]:
    """Start JupyterLab, as the command line does, for a browser; it ends with this."""
    with tempfile.TemporaryDirectory(prefix="contimg_lab-front-") as made:
        top = Path(made)
        _write(top / "config", CONFIG)
        _write(top / "settings", SETTINGS)
        (top / "work").mkdir()
        token = secrets.token_hex(16)
        port = _free_port()
        command = [
            sys.executable, "-m", "jupyterlab", "--allow-root",
            f"--ServerApp.root_dir={top / 'work'}", "--ServerApp.open_browser=False",
            f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        ]  # fmt: skip
        ours = Path(contimg_lab.cli.__file__).parent / "jupyter"
        environment = {
            **os.environ,
            "JUPYTER_TOKEN": token,
            "JUPYTER_CONFIG_PATH": os.pathsep.join([str(top / "config"), str(ours)]),
            "JUPYTERLAB_SETTINGS_DIR": str(top / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(top / "workspaces"),
        }
        root = f"http://localhost:{port}"
        with _server(command, environment, root, token):
            yield Desk(root, token, top / "work", browser)


@contextlib.contextmanager
def _server(
    command: list[str], environment: Mapping[str, str], root: str, token: str
) -> Iterator[None]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            end = time.monotonic() + START_S
            while not _answers(f"{root}/api/status?token={token}"):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise RuntimeError(f"JupyterLab does not answer: {log.read()[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def _write(folder: Path, files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
