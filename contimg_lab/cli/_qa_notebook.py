"""The sign-off notebook of one night, executed in a kernel of its own; the shipped file is read."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError, PapermillMissingParameterException

from contimg_lab.cli._notebook import shipped_notebook
from contimg_lab.cli._qa_files import NOTEBOOK
from contimg_lab.errors import ContimgLabError

__all__ = ["Executed", "NotJudged", "end_kernels", "execute", "notebook_digest"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_HAND_OVER = """\
import json
from pathlib import Path

Path({path!r}).write_text(json.dumps(report.to_json(), allow_nan=False), encoding="utf-8")
"""
_START_S = 180
_CELL_S = 1800

_started: list[_SamePython] = []


class NotJudged(ContimgLabError):
    """A night could not be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class Executed:
    """What came of it.

    Attributes
    ----------
    notebook
        With its outputs, as nbformat has it: no widget, which only a kernel could show.
    report
        ``report.to_json()`` of the very report that the notebook shows.
    """

    notebook: Any
    report: dict[str, Any]


class _SamePython(AsyncKernelManager):
    """A kernel of this Python, whatever else is installed as ``python3``.

    It is spoken to by files in the folder of the run: ports, which other processes look for at
    the same time, may be taken between the search and the use.
    """

    def __init__(self, **told: Any) -> None:
        self.folder = Path.cwd()
        file = str(self.folder / "kernel.json")
        super().__init__(transport="ipc", connection_file=file, **told)

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")

    async def _async_post_start_kernel(self, **told: Any) -> None:
        await super()._async_post_start_kernel(**told)
        _started.append(self)


def notebook_digest() -> str:
    """SHA-256 of the shipped notebook."""
    return hashlib.sha256(shipped_notebook(NOTEBOOK).read_bytes()).hexdigest()


def execute(parameters: dict[str, Any]) -> Executed:
    """Execute the notebook with its parameters, in a kernel that is ended afterwards.

    Parameters
    ----------
    parameters
        ``night``, ``database``, ``thresholds`` and ``ledger``.

    Raises
    ------
    NotJudged
        A cell failed, or hung, or the kernel died.
    """
    book = nbformat.read(shipped_notebook(NOTEBOOK), as_version=4)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="contimg-lab-") as folder:
        handed = Path(folder) / "report.json"
        book.cells.append(nbformat.v4.new_code_cell(_HAND_OVER.format(path=str(handed))))
        try:
            done = papermill.execute_notebook(
                copy.deepcopy(book),
                None,
                parameters=parameters,
                cwd=folder,
                progress_bar=False,
                start_timeout=_START_S,
                execution_timeout=_CELL_S,
                kernel_manager_class=_SamePython,
            )
            report = json.loads(handed.read_text(encoding="utf-8"))
        except PapermillExecutionError as error:
            raise NotJudged(_told(error)) from error
        except (CellTimeoutError, DeadKernelError) as error:
            last = str(error).strip().splitlines()[-1]
            raise NotJudged(f"the notebook's kernel was given up: {last}") from error
        except (OSError, RuntimeError, PapermillMissingParameterException) as error:
            raise NotJudged(f"the notebook could not be run: {error}") from error
        finally:
            _started.clear()
    done.cells.pop()
    return Executed(_tidy(done), report)


def end_kernels() -> None:
    """Kill the kernels that run, with their children and folders: nobody waits for them now."""
    for manager in _started:
        process = getattr(manager.provisioner, "process", None)
        if process is not None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
        shutil.rmtree(manager.folder, ignore_errors=True)


def _told(error: PapermillExecutionError) -> str:
    where = f"cell {error.cell_index + 1} of the notebook"
    return f"{where}: {error.ename}: {' '.join(str(error.evalue).split())}"


def _tidy(book: Any) -> Any:
    """Take out what only a kernel can show, and the paths of this run."""
    book.metadata.pop("widgets", None)
    told = book.metadata.get("papermill", {})
    for name in ("input_path", "output_path"):
        told.pop(name, None)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if _is_static(one)]
            for output in cell.outputs:
                output.get("data", {}).pop(_WIDGET, None)
    return book


def _is_static(output: Any) -> bool:
    """Whether an output shows something without a kernel: a widget's own words do not."""
    data = output.get("data", {})
    return _WIDGET not in data or "text/html" in data
