"""``contimg-lab verify``: its words, its exit codes, its copy; and notebooks that mean harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import nbformat
import pytest

from contimg_lab.cli import main
from contimg_lab.services._proof import METADATA, seal
from contimg_lab.services._proof_notebook import MARK

from .conftest import PARTS


@pytest.fixture
def saved(book, tmp_path):
    """The executed notebook as a file."""
    path = tmp_path / "night.ipynb"
    nbformat.write(book, path)
    return path


def test_a_notebook_that_holds(saved, season):
    """In a process of its own: a line for each value, the counts, and exit code 0."""
    before = saved.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "contimg_lab", "verify", saved, "--against", season],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(PARTS) + 1
    for number, (line, part) in enumerate(zip(lines, PARTS, strict=False), 2):
        assert line.startswith(f"cell {number}, output 1: ")
        assert line.endswith(f" {part}: same")
    assert saved.read_bytes() == before


def test_what_was_edited_is_told_without_a_database(saved, book, capsys):
    """No database: an edit is exit code 1, a whole notebook 3."""
    assert main(["verify", str(saved)]) == 3
    assert f"{len(PARTS)} cannot tell" in capsys.readouterr().out
    book.cells[2].outputs[0].data["text/plain"] += " "
    nbformat.write(book, saved)
    assert main(["verify", str(saved)]) == 1
    assert "hours: changed: the shown text is not what was computed" in capsys.readouterr().out


def test_a_database_that_cannot_be_read_cannot_tell(saved, tmp_path, capsys):
    """The reason stands at each value, and the exit code is 3."""
    assert main(["verify", str(saved), "--against", str(tmp_path / "nowhere")]) == 3
    assert str(tmp_path / "nowhere") in capsys.readouterr().out


def test_json_says_the_same(saved, season, capsys):
    """As JSON there is a member for each value, and the counts."""
    assert main(["verify", str(saved), "--against", str(season), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["part"] for one in told["values"]] == list(PARTS)
    assert told["exit_code"] == 0
    assert told["counts"] == {"same": len(PARTS), "changed": 0, "cannot tell": 0, "no proof": 0}


def test_a_copy_is_marked(saved, book, season, tmp_path, capsys):
    """The copy is a valid notebook with a mark below each output; nothing is written over."""
    book.cells[3].outputs[0].data["text/html"] = "<b>all is well</b>"
    del book.cells[4].outputs[0].metadata[METADATA]
    nbformat.write(book, saved)
    before, out = saved.read_bytes(), tmp_path / "marked.ipynb"
    words = ["verify", str(saved), "--against", str(season), "--out", str(out)]
    assert main(words) == 1
    copy = nbformat.read(out, as_version=4)
    nbformat.validate(copy)
    marks = []
    for old, new in zip(book.cells, copy.cells, strict=True):
        assert new.source == old.source
        assert new.outputs[::2] == old.outputs
        marks += [mark.metadata[MARK]["word"] for mark in new.outputs[1::2]]
    assert marks == ["same", "same", "changed", "no proof", *["same"] * (len(PARTS) - 4)]
    assert saved.read_bytes() == before
    kept = out.read_bytes()
    assert main(words) == 2
    assert main([*words[:-1], str(saved)]) == 2
    assert "is not written over" in capsys.readouterr().err
    assert out.read_bytes() == kept
    assert saved.read_bytes() == before


def test_a_copy_proves_nothing_by_its_marks(saved, season, tmp_path):
    """A mark says "same" in a copy, and is not taken for proof when the copy is verified."""
    out = tmp_path / "marked.ipynb"
    main(["verify", str(saved), "--against", str(season), "--out", str(out)])
    words = ["verify", str(out), "--against", str(season)]
    assert main(words) == 3
    assert main([*words, "--allow-unproven"]) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "no JSON"),
        (b"\x89PNG", "no JSON"),
        (b"{" * 100_000, "no JSON"),
        (b"[" * 100_000, "deeper than any notebook"),
        (b"[]", "no notebook"),
        (b"{}", "no notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "notebook format '3', not 4"),
        (b'{"nbformat": "4", "cells": []}', "notebook format '4', not 4"),
        (b'{"nbformat": 4}', "its cells"),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "its cells"),
        (b'{"nbformat": 4, "cells": [5]}', "cell 1"),
        (b'{"nbformat": 4, "cells": [{"outputs": 5}]}', "cell 1, outputs"),
        (b'{"nbformat": 4, "cells": [{"outputs": [{}, null]}]}', "cell 1, output 2"),
        (b'{"nbformat": 4, "cells": [' + b"9" * 5000 + b"]}", "no JSON"),
    ],
)
def test_what_is_no_notebook_is_told(tmp_path, capsys, text, told):
    """One line says what is wrong with the file, and the exit code is 2."""
    path = tmp_path / "bad.ipynb"
    path.write_bytes(text)
    assert main(["verify", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert told in said


def test_what_is_no_file_is_told(tmp_path, capsys):
    """A folder, a pipe, nothing: told at once, never waited for."""
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe", "nothing"):
        assert main(["verify", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("there is no such file") == 3


def test_a_huge_file_is_refused(tmp_path, capsys):
    """More than any notebook of ours is not read into memory."""
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as stream:
        stream.truncate(600_000_000)
    assert main(["verify", str(path)]) == 2
    assert "larger than 500 MB" in capsys.readouterr().err


def test_what_a_notebook_says_reaches_no_terminal_nor_page_as_an_order(tmp_path, capsys, book):
    """Names with control characters and markup in a proof are shown as text."""
    bad = "\x1b[2Jx\n<script>alert(1)</script>\u202e"
    output = book.cells[1].outputs[0]
    proof = output.metadata[METADATA]
    proof["part"] = proof["night"] = bad
    proof["seal"] = seal(proof)
    path, out = tmp_path / "bad.ipynb", tmp_path / "out.ipynb"
    nbformat.write(book, path)
    assert main(["verify", str(path), "--out", str(out)]) == 3
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said.splitlines()) == len(PARTS) + 1
    mark = nbformat.read(out, as_version=4).cells[1].outputs[1]
    assert "&lt;script&gt;" in mark.data["text/html"]
    assert "<script>" not in mark.data["text/html"]


@pytest.mark.parametrize(
    "data", [None, 5, "x", [], {"text/plain": {"a": 1}}, {"text/plain": [1, None]}, {"a": "\ud800"}]
)
@pytest.mark.parametrize("metadata", [None, 5, [], {METADATA: 5}, {METADATA: {"format": 1}}])
def test_outputs_of_other_kinds_are_told(tmp_path, capsys, data, metadata):
    """Whatever stands where an output should, it has a word, and the copy can be written."""
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    path, out = tmp_path / "bad.ipynb", tmp_path / "out.ipynb"
    cells = [{"cell_type": "code", "outputs": [output]}]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells}))
    assert main(["verify", str(path), "--out", str(out)]) == 3
    word = "cannot tell" if isinstance(metadata, dict) else "no proof"
    lines = capsys.readouterr().out.splitlines()
    shown = [] if data == [] else [f"cell 1, output 1: {word}"]
    assert [": ".join(line.split(": ")[:2]) for line in lines[:-1]] == shown
    assert json.loads(out.read_text())["cells"][0]["outputs"][0] == output
