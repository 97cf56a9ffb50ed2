"""A server on one notebook, JupyterLab or Voila, in a child process of the same Python."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from contimg_lab.errors import ContimgLabError

__all__ = ["run_server", "serve_notebook", "token_of"]

_START_S = 120.0
_STOP_S = 15.0
_POLL_S = 0.1
# turns the news prompt off for this server alone; adds to the user's own settings
_OUR_CONFIG = Path(__file__).parent / "jupyter"


def serve_notebook(
    notebook: Path, environment: Mapping[str, str], *, port: int | None, browser: bool
) -> int:
    """Serve JupyterLab until it is shut down or interrupted; prints its address.

    Parameters
    ----------
    notebook
        Opened first; its folder is where JupyterLab starts.
    environment
        Variables of the server, and so of its kernels.
    port
        This port and no other; None: the next free one.
    browser
        Let JupyterLab open a browser.

    Raises
    ------
    ContimgLabError
        JupyterLab ends, or does not answer, before it is of any use.
    """
    notebook = notebook.resolve()
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{urllib.parse.quote(notebook.name)}",
        f"--ServerApp.open_browser={browser}",
    ]
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    configs = [str(_OUR_CONFIG), environment.get("JUPYTER_CONFIG_PATH", "")]
    env = {
        **environment,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, configs)),
        "JUPYTER_TOKEN": token_of(environment),
    }
    begun = time.time()
    page = f"lab/tree/{urllib.parse.quote(notebook.name)}"

    def look(child: subprocess.Popen[bytes], log: IO[bytes]) -> str | None:
        return _lab_address(child.pid, begun, page)

    return run_server("JupyterLab", command, env, look)


def token_of(environment: Mapping[str, str]) -> str:
    """Return the token that the environment names, or a new one.

    It goes to the server in ``JUPYTER_TOKEN``: every user of a machine can read its command
    lines.
    """
    return environment.get("JUPYTER_TOKEN") or secrets.token_hex(24)


def run_server(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    look: Callable[[subprocess.Popen[bytes], IO[bytes]], str | None],
) -> int:
    """Run a server until it ends or is interrupted; prints its address.

    Parameters
    ----------
    name
        What to call it.
    command, environment
        Words and variables of its process.
    look
        Given the process and all that it said; returns the address once the server answers
        there, and None before.

    Raises
    ------
    ContimgLabError
        The server ends, or does not answer, before it is of any use.
    """
    with tempfile.TemporaryFile() as log, _signals_interrupt():
        # a session of its own: Ctrl-C reaches us alone, and we end it in order
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            print(f"{name}: {_wait(name, child, log, look)}\nCtrl-C ends it.", flush=True)
            child.wait()
        finally:
            _end(child)
    return 0


def _wait(
    name: str,
    child: subprocess.Popen[bytes],
    log: IO[bytes],
    look: Callable[[subprocess.Popen[bytes], IO[bytes]], str | None],
) -> str:
    """Address of the server, once it answers there."""
    begun = time.monotonic()
    while time.monotonic() - begun < _START_S:
        if child.poll() is not None:
            raise ContimgLabError(
                f"{name} ended before it answered: {_last_words(log)}; try another --port"
            )
        address = look(child, log)
        if address is not None:
            return address
        time.sleep(_POLL_S)
    raise ContimgLabError(f"{name} did not answer within {_START_S:.0f} s: {_last_words(log)}")


def _lab_address(pid: int, begun: float, page: str) -> str | None:
    """Address of JupyterLab with its token, where it has written down that it answers."""
    from jupyter_core.paths import jupyter_runtime_dir

    known = Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json"
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError, ValueError, KeyError):
        # a process that is gone may have had this number and left its file
        if known.stat().st_mtime >= begun - 1.0:
            info = json.loads(known.read_text(encoding="utf-8"))
            ask.open(urllib.parse.urljoin(info["url"], "api"), timeout=5.0).close()
            token = urllib.parse.urlencode({"token": info["token"]}) if info["token"] else ""
            return str(urllib.parse.urljoin(info["url"], f"{page}?{token}".rstrip("?")))
    return None


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else "it said nothing"


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_STOP_S)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let a closed terminal or a polite kill end the server as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGHUP, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
