"""A notebook proves its own numbers: what holds is the same, what moved or was edited is found."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

import contimg_lab as cl
from contimg_lab.analysis.checks import run_checks
from contimg_lab.services import _proof_again
from contimg_lab.services._proof import METADATA, seal
from contimg_lab.services.report_part import part_names

from .conftest import PARTS, notebook_of, run_notebook


def words(check):
    """The word of each part."""
    return {one.part: one.word for one in check.values}


def told(check, part):
    """Why a part has its word, as one text."""
    return "; ".join(next(one.why for one in check.values if one.part == part))


def proofs(book):
    """The proof of each part."""
    found = [o.metadata[METADATA] for cell in book.cells for o in cell.outputs]
    return {proof["part"]: proof for proof in found}


def output_of(book, part):
    """The output that shows a part."""
    outputs = [output for cell in book.cells for output in cell.outputs]
    return next(o for o in outputs if o.metadata[METADATA]["part"] == part)


def change(season, statement, *values):
    """Write to the pipeline's database behind the notebook's back."""
    with sqlite3.connect(season / "pipeline.sqlite3") as connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


async def test_what_a_kernel_saved_is_the_same(book, season, verify):
    """Parts shown by a real kernel, last in a cell or displayed, keep their proof and hold."""
    outputs = [output for cell in book.cells for output in cell.outputs]
    assert {o.output_type for o in outputs} == {"execute_result", "display_data"}
    assert all({"text/html", "text/plain"} == set(o.data) for o in outputs)
    check = await verify(book, season)
    assert words(check) == dict.fromkeys(PARTS, "same")
    assert check.exit_code() == 0
    assert check.lines()[-1] == f"{len(PARTS)} same, 0 changed, 0 cannot tell, 0 no proof"


def test_papermill_keeps_the_proof(book, season, tmp_path):
    """A notebook that papermill runs again holds the same proofs, but for when it was read."""
    old, new = tmp_path / "old.ipynb", tmp_path / "new.ipynb"
    nbformat.write(book, old)
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "-k", "python3", "--no-progress-bar", old, new],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    before, after = proofs(book), proofs(nbformat.read(new, as_version=4))
    assert set(before) == set(after)
    for part in PARTS:
        moments = ("as_of_unix_s", "seal")
        assert {k: v for k, v in before[part].items() if k not in moments} == {
            k: v for k, v in after[part].items() if k not in moments
        }


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("images", "UPDATE images SET noise_jy = noise_jy * 9 WHERE id = ?"),
        ("images", "DELETE FROM images WHERE id = ?"),
        ("photometry", "UPDATE photometry SET flux_jy = flux_jy * 2 WHERE id = ?"),
        ("jobs", "UPDATE jobs SET status = 'failed' WHERE id = ?"),
        ("hdf5_files", "UPDATE hdf5_files SET timestamp_mjd = timestamp_mjd + 1e-9 WHERE path = ?"),
    ],
)
async def test_a_changed_row_is_named_by_the_parts_that_stand_on_it(
    book, season, verify, table, statement
):
    """One row changes: exactly the parts that stand on its table say so, and name it."""
    async with cl.open(season) as lab:
        report = await lab.qa.night(await lab.last_night())
    key = sorted(report.evidence.tables[table].kept)[7]
    change(season, statement, key)
    check = await verify(book, season)
    standing = {part for part, proof in proofs(book).items() if table in proof["tables"]}
    assert standing
    assert {part for part, word in words(check).items() if word == "changed"} == standing
    assert set(words(check).values()) == {"same", "changed"}
    kind = "vanished" if statement.startswith("DELETE") else "changed"
    for part in standing:
        assert re.search(rf"{table} {re.escape(str(key))} {kind}", told(check, part))
    assert check.exit_code() == 1


async def test_a_row_that_changes_no_value_still_is_told(book, season, verify):
    """The value is the same and a row is not: that is told as what it is, never as same."""
    async with cl.open(season) as lab:
        report = await lab.qa.night(await lab.last_night())
    row = next(iter(report.evidence.tables["images"].kept))
    change(season, "UPDATE images SET created_at = created_at + 0.5 WHERE id = ?", row)
    check = await verify(book, season)
    assert words(check)["verdict"] == "changed"
    assert told(check, "verdict").startswith(f"same value, rows changed: images {row} changed")
    assert words(check)["subbands"] == words(check)["thresholds"] == "same"


async def test_a_row_that_appears_is_named(book, season, verify):
    """A row more than the value stood on is told by its key."""
    with sqlite3.connect(season / "pipeline.sqlite3") as connection:
        night = proofs(book)["subbands"]["night"]
        path = f"/stage/dsa110-contimg/incoming/{night}T05:00:00_sb99.hdf5"
        names = [c[1] for c in connection.execute("PRAGMA table_info(hdf5_files)")]
        row = dict(
            zip(
                names,
                connection.execute(
                    "SELECT * FROM hdf5_files ORDER BY path DESC LIMIT 1"
                ).fetchone(),
                strict=True,
            )
        )
        row["path"] = path
        if "id" in row:
            row["id"] = None
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO hdf5_files ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )
    connection.close()
    check = await verify(book, season)
    assert f"hdf5_files {path} appeared" in told(check, "subbands")
    assert words(check)["noise"] == "same"


@pytest.mark.parametrize("against", [True, False])
async def test_an_edited_output_is_found(book, season, verify, against):
    """A word of the shown text is another: found with a database and without one."""
    output = output_of(book, "verdict")
    output.data["text/html"] = output.data["text/html"].replace("fail", "pass", 1)
    check = await verify(book, season if against else None)
    assert words(check)["verdict"] == "changed"
    assert "the shown text is not what was computed" in told(check, "verdict")
    others = set(words(check).values()) - {"changed"}
    assert others == ({"same"} if against else {"cannot tell"})
    assert check.exit_code() == 1


async def test_an_added_form_is_found(book, verify):
    """A picture or script beside what was computed is no part of it."""
    output_of(book, "noise").data["application/javascript"] = "alert(1)"
    assert words(await verify(book))["noise"] == "changed"


async def test_swapped_proofs_are_found(book, season, verify):
    """The proof of another output proves nothing here."""
    one, two = output_of(book, "noise"), output_of(book, "hours")
    one.metadata, two.metadata = two.metadata, one.metadata
    check = await verify(book, season)
    found = words(check)
    assert found["noise"] == found["hours"] == "changed"
    assert sum(word == "same" for word in found.values()) == len(PARTS) - 2


async def test_without_its_proof_a_number_is_never_the_same(book, season, verify):
    """Outputs without a proof are counted, and the notebook as a whole does not hold."""
    del output_of(book, "noise").metadata[METADATA]
    cell = nbformat.v4.new_code_cell("print(5)")
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="noise 5 Jy"),
        nbformat.v4.new_output("display_data", data={"image/png": "AAAA"}),
        nbformat.v4.new_output("error", ename="E", evalue="7", traceback=["7"]),
        nbformat.v4.new_output("stream", name="stdout", text=" \n"),
    ]
    book.cells.append(cell)
    check = await verify(book, season)
    assert check.count("no proof") == 4  # the blank line shows nothing
    assert check.count("same") == len(PARTS) - 1
    assert check.exit_code() == 3
    assert check.exit_code(allow_unproven=True) == 0


async def test_a_notebook_that_shows_nothing_does_not_hold(verify):
    """Nothing shown is nothing proved."""
    check = await verify(nbformat.v4.new_notebook())
    assert check.exit_code() == check.exit_code(allow_unproven=True) == 3


async def test_without_a_database_nothing_is_the_same(book, verify):
    """Whole proofs alone do not tell what the rows are now."""
    check = await verify(book)
    assert words(check) == dict.fromkeys(PARTS, "cannot tell")
    assert check.exit_code() == 3


async def test_other_code_on_the_same_rows_is_told(book, season, verify, monkeypatch):
    """Rows the same and value another: the check moved, which is told with the versions."""

    def others(night, limits, checks):
        return [*run_checks(night, limits, checks), *run_checks(night, limits, checks)]

    monkeypatch.setattr(_proof_again, "run_checks", others)
    check = await verify(book, season)
    assert words(check)["noise"] == "changed"
    assert "the rows are the same, the value is another" in told(check, "noise")
    assert "a check was changed without a new version" in told(check, "noise")
    proof = output_of(book, "noise").metadata[METADATA]
    proof["versions"]["contimg_lab"] = "0.0.1"
    proof["seal"] = seal(proof)
    check = await verify(book, season)
    assert re.search(r"the code did: contimg_lab 0\.0\.1, now ", told(check, "noise"))


async def test_recorded_limits_are_used_not_todays(book, season, verify, tmp_path, monkeypatch):
    """A site that judges by other limits today computes by those of then."""
    site = tmp_path / "site.toml"
    site.write_text(
        '[sets.dsa110.noise]\nwarn = {value = 0.1, unit = "1", source = "a test"}\n'
        '[sets.dsa110.subbands]\nwhole = {value = 3, unit = "1", source = "a test"}\n'
    )
    monkeypatch.setenv("CONTIMG_LAB_THRESHOLDS", str(site))
    check = await verify(book, season)
    assert words(check) == dict.fromkeys(PARTS, "same")
    async with cl.open(season) as lab:
        report = await lab.qa.night(await lab.last_night())
        strict = notebook_of([report.part(name) for name in PARTS])
    digests = [one["noise"]["value_digest"] for one in map(proofs, (book, strict))]
    assert digests[0] != digests[1]
    monkeypatch.delenv("CONTIMG_LAB_THRESHOLDS")
    assert words(await verify(strict, season)) == dict.fromkeys(PARTS, "same")
    unknown = output_of(strict, "noise").metadata[METADATA]
    unknown["thresholds"]["values"]["noise.of_tomorrow"] = 1.0
    unknown["seal"] = seal(unknown)
    check = await verify(strict, season)
    assert words(check)["noise"] == "cannot tell"
    assert "noise.of_tomorrow" in told(check, "noise")


async def test_a_field_that_is_not_read_any_more_cannot_be_told(book, season, verify):
    """Rows of which a later version reads less are not called the same, nor changed."""
    proof = output_of(book, "noise").metadata[METADATA]
    proof["tables"]["images"]["fields"] += " of_yesterday"
    proof["seal"] = seal(proof)
    check = await verify(book, season)
    assert words(check)["noise"] == "cannot tell"
    assert "images.of_yesterday" in told(check, "noise")


async def test_another_database_is_told(book, season_folder, season, verify):
    """A night that another database lacks cannot be told; where this one lost it, it changed."""
    with sqlite3.connect(season / "pipeline.sqlite3") as connection:
        night = proofs(book)["noise"]["night"]
        connection.execute("DELETE FROM ms_index WHERE path LIKE ?", [f"%{night}%"])
    connection.close()
    check = await verify(book, season)
    assert set(words(check).values()) == {"changed"}
    for proof in proofs(book).values():
        proof["database"]["identity"] = "0" * 64
        proof["seal"] = seal(proof)
    check = await verify(book, season)
    assert set(words(check).values()) == {"cannot tell"}
    assert "another database" in told(check, "noise")
    check = await verify(book, season_folder())
    assert set(words(check).values()) == {"same"}
    assert "another database" in told(check, "noise")


async def test_every_part_of_every_layout_is_the_same(lab, database_folder, verify):
    """On every kind of database each part, each check among them, is computed again the same."""
    report = await lab.qa.night(await lab.last_night())
    names = part_names(report)
    assert len(set(names)) == len(names) > 40
    check = await verify(notebook_of([report.part(name) for name in names]), database_folder)
    assert [str(one) for one in check.values if one.word != "same"] == []
    assert check.exit_code() == 0


def test_a_notebook_stays_small(executed):
    """What all of a sign-off's parts carry is small enough to be saved with them."""
    size = sum(len(json.dumps(proof)) for proof in proofs(executed).values())
    assert size < 20_000 * len(PARTS)


def test_no_path_of_the_machine_is_saved(executed, season_folder):
    """A proof names the rows' own paths, and none of who made it."""
    assert str(Path(season_folder()).parent) not in json.dumps(proofs(executed))


@pytest.fixture(scope="session")
def drawn(season_folder):
    """A notebook of figures of checks, of one and of several."""
    return run_notebook(season_folder(), [f"report.figure{checks!r}" for checks in FIGURES])


FIGURES = (("noise",), ("flux_ratio", "completeness", "noise"), ("pointing", "image_gain"))


async def test_a_figure_is_proved_as_its_checks_are(drawn, season, verify):
    """A picture that a kernel saved holds while its rows do; another picture is found."""
    drawn = copy.deepcopy(drawn)
    names = [", ".join(checks) for checks in FIGURES]
    assert list(proofs(drawn)) == names
    assert words(await verify(drawn, season)) == dict.fromkeys(names, "same")
    one, two = (output_of(drawn, name) for name in names[:2])
    one.data["text/html"], two.data["text/html"] = two.data["text/html"], one.data["text/html"]
    found = words(await verify(drawn, season))
    assert found == dict(zip(names, ("changed", "changed", "same"), strict=True))


async def test_a_figure_stands_on_all_that_is_drawn(drawn, season, verify):
    """What a picture shows beside its check's own tables is held to its rows too."""
    async with cl.open(season) as lab:
        report = await lab.qa.night(await lab.last_night())
    for name, proof in proofs(drawn).items():
        checks = [set(report.part(check).proof["tables"]) for check in name.split(", ")]
        assert set.union(*checks) <= set(proof["tables"])
    row = next(iter(report.evidence.tables["images"].kept))
    change(season, "UPDATE images SET noise_jy = noise_jy * 9 WHERE id = ?", row)
    check = await verify(drawn, season)
    for name, proof in proofs(drawn).items():
        assert (words(check)[name] == "changed") == ("images" in proof["tables"])
    assert f"images {row} changed" in told(check, "noise")


async def test_a_last_bit_is_told_as_what_it_is(book, season, verify, monkeypatch):
    """A value that differs beyond the digits that are shown is changed, and the words say how."""

    def nearly(night, limits, checks):
        outcomes = run_checks(night, limits, checks)
        return [
            dataclasses.replace(o, value=None if o.value is None else np.nextafter(o.value, 9e9))
            for o in outcomes
        ]

    monkeypatch.setattr(_proof_again, "run_checks", nearly)
    check = await verify(book, season)
    assert words(check)["noise"] == "changed"
    assert told(check, "noise").endswith("beyond the digits that are shown, as between machines")


async def test_rows_that_count_to_another_hour_are_told(book, season, verify):
    """Each row as it was, and one counts to another hour: the table's digest tells."""
    table = output_of(book, "noise").metadata[METADATA]["tables"]["images"]
    table["digest"] = "0" * 64
    output_of(book, "noise").metadata[METADATA]["seal"] = seal(
        output_of(book, "noise").metadata[METADATA]
    )
    assert "images rows count to other hours" in told(await verify(book, season), "noise")


async def test_rows_are_named_by_what_another_part_tells_of_them(book, season, verify):
    """A view keeps no digest of single rows: where no part does, the hours are named."""
    async with cl.open(season) as lab:
        report = await lab.qa.night(await lab.last_night())
    images = report.evidence.tables["images"]
    row = next(key for key, (hour, _) in images.kept.items() if hour == "05")
    change(season, "UPDATE images SET noise_jy = noise_jy * 9 WHERE id = ?", row)
    assert f"images {row} changed" in told(await verify(book, season), "hours")
    alone = notebook_of([report.part("hours")])
    assert "images rows of hours 05" in told(await verify(alone, season), "hours")


SIGNOFF = Path(__file__).resolve().parents[2] / "notebooks" / "qa_signoff.ipynb"


@pytest.mark.notebooks
def test_the_sign_off_notebook_proves_its_numbers(season_folder, tmp_path):
    """Run by papermill, all that it shows of the night's numbers is the same; the rest is named."""
    made = tmp_path / "night.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "-k", "python3", "--no-progress-bar", SIGNOFF, made,
         "-p", "database", str(season_folder()), "-p", "ledger", tmp_path / "ledger.sqlite3"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    done = subprocess.run(
        [sys.executable, "-m", "contimg_lab", "verify", made, "--against", season_folder(),
         "--allow-unproven", "--json"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    parts = {one["part"] for one in found["values"] if one["word"] == "same"}
    checks = {check for part in parts for check in part.split(", ")}
    assert {"verdict", "hours", "checks", "fails", "evidence", "noise", "flux_ratio"} <= checks
    book = nbformat.read(made, as_version=4)
    for one in found["values"]:
        if one["word"] != "same":
            source = book.cells[one["cell"] - 1].source
            assert "print(" in source or "sign_panel" in source
