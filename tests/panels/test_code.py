"""The code of a panel: it runs without the panel, yields the same table, and holds no surprise."""

from __future__ import annotations

import ast
import sqlite3
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.manager import start_new_kernel

import contimg_lab as cl
from contimg_lab.errors import InvalidInput
from contimg_lab.panels import PANELS, make_panel
from contimg_lab.panels._base import Panel
from contimg_lab.panels._code import code_for

CASES = [
    ("night", {}),
    ("night", {"night": "2025-10-12"}),
    ("calendar", {}),
    ("calendar", {"state": "needs somebody"}),
    ("jobs", {}),
    ("jobs", {"night": "all", "cause": "memory", "sort": "latest"}),
    ("jobs", {"night": "all", "status": "failed", "sort": "latest"}),
    ("jobs", {"night": "all", "text": "05", "sort": "duration_s"}),
    ("jobs", {"night": "2025-10-09", "sort": "attempts", "text": "nothing holds '\" this"}),
    ("pointings", {}),
    ("pointings", {"night": "all"}),
    ("caltables", {}),
    ("caltables", {"night": "2025-10-20", "status": "active"}),
    ("caltables", {"night": "all", "status": "retired"}),
    ("sources", {}),
    ("sources", {"text": "nvss", "rule": "eta > 1.5 and n_used >= 20"}),
    ("sources", {"text": "00:00:00 +16:15:00", "radius_arcmin": 90.0}),
    ("sources", {"text": "J000000+161712", "radius_arcmin": 60.0, "rule": "v < 1"}),
    ("images", {}),
    ("images", {"night": "all", "type": "pbcor"}),
    ("images", {"night": "2025-10-14", "text": "T05:"}),
    ("images", {"night": "all", "type": "image", "text": "nothing holds '\" this"}),
    ("variability", {}),
    ("variability", {"text": "j0", "rule": "any", "sort": "vs_max"}),
    ("variability", {"rule": "presets", "sort": "p_constant", "flux_scale": True}),
    ("variability", {"rule": "expression", "expression": "eta > 3 and n_used >= 20"}),
    ("sign_off", {}),
    ("sign_off", {"night": "2025-10-12"}),
    ("dashboard", {}),
    ("dashboard", {"night": "2025-10-12"}),
]


async def run(code: str) -> pd.DataFrame:
    """Run a cell as a kernel does, and return its last line's value."""
    tree = ast.parse(code)
    last = tree.body[-1]
    assert isinstance(last, ast.Expr)
    tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
    ast.fix_missing_locations(tree)
    space: dict[str, Any] = {}
    await eval(compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), space)
    await space["lab"].close()
    found: pd.DataFrame = space["_"]
    return found


def press(panel: Panel) -> None:
    """Say what the browser says when "Copy as code" is pressed."""
    panel._head.tools._handle_custom_msg({"do": "code"}, [])


@pytest.mark.parametrize(("name", "options"), CASES)
async def test_the_code_yields_the_same_table(
    name: str, options: dict[str, Any], demo: cl.Lab
) -> None:
    """The cell must give every row and column that the panel's ``to_pandas`` gives, in order."""
    panel = make_panel(name, demo, **options)
    assert panel.code() == ""
    await panel.settled()
    shown = panel.to_pandas()
    found = await run(panel.code())
    pd.testing.assert_frame_equal(found, shown)
    assert len(found) or "text" in options
    panel.close()


def test_every_panel_is_among_the_cases() -> None:
    """A new panel must have its code compared here too."""
    assert {name for name, _ in CASES} == set(PANELS)


async def test_the_code_follows_the_filters(demo: cl.Lab) -> None:
    """After a filter is changed the code, shown or not, must be that of the new table."""
    panel = make_panel("jobs", demo, night="all")
    await panel.settled()
    press(panel)
    view = panel._code_view
    assert view in panel._head._below.children
    assert view.text == panel.code()
    panel._status_filter.value = "failed"
    await panel.settled()
    assert "status='failed'" in panel.code()
    assert view.text == panel.code()
    press(panel)
    assert panel._head._below.children == ()
    assert view.comm is None
    press(panel)
    again = panel._code_view
    again._handle_custom_msg({"kind": "closed"}, [])
    assert panel._head._below.children == ()
    press(panel)
    last = panel._code_view
    panel.close()
    assert last.comm is None


@pytest.mark.parametrize("layout", ["unified", "split", "split-old"])
async def test_the_code_opens_the_very_files(
    layout: str, season_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the Lab found its files, the code must open the same ones."""
    folder = season_folder(layout)
    monkeypatch.setenv("PIPELINE_STATE_DIR", str(folder))
    async with cl.open() as lab, cl.open(folder) as given:
        for opened in (lab, given):
            panel = make_panel("pointings", opened)
            await panel.settled()
            code = panel.code()
            panel.close()
            with monkeypatch.context() as other:
                other.delenv("PIPELINE_STATE_DIR")
                other.chdir(tmp_path)
                space: dict[str, Any] = {}
                opening = "\n".join(code.splitlines()[:3])
                body = f"async def cell():\n{textwrap.indent(opening, '    ')}\n    return lab"
                exec(body, space)
                found = await space["cell"]()
                assert dict(found.layout.files) == dict(opened.layout.files)
                await found.close()


async def test_files_named_one_by_one(
    season_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that no single path finds must be left to the environment, and that be said."""
    folder = season_folder("split")
    products = tmp_path / "products.sqlite3"
    products.symlink_to(folder / "products.sqlite3")
    monkeypatch.setenv("PIPELINE_PRODUCTS_DB", str(products))
    monkeypatch.setenv("PIPELINE_CAL_REGISTRY_DB", str(folder / "cal_registry.sqlite3"))
    async with cl.open() as lab:
        panel = make_panel("caltables", lab)
        await panel.settled()
        assert "cl.open()  # what PIPELINE_DB" in panel.code()
        pd.testing.assert_frame_equal(await run(panel.code()), panel.to_pandas())
        panel.close()


async def test_hostile_values_of_a_database(copy_of: Callable[..., Path]) -> None:
    """A status that holds code must stand in the cell as text, and find its rows."""
    evil = 'x\'); import os; os.abort()  # """ {0}\n\\'
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        connection.execute("UPDATE jobs SET status = ? WHERE status = 'failed'", (evil,))
        connection.execute("UPDATE ms_index SET status = ? WHERE status = 'failed'", (evil,))
    connection.close()
    async with cl.open(folder) as lab:
        panel = make_panel("jobs", lab, night="all", status=evil)
        await panel.settled()
        found = await run(panel.code())
        assert len(found)
        pd.testing.assert_frame_equal(found, panel.to_pandas())
        panel.close()


class Blank(ast.NodeTransformer):
    """Take every literal out of a tree, so that only its shape is left."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(type(node.value).__name__)


def shape(code: str) -> str:
    return ast.dump(Blank().visit(ast.parse(code)))


def arguments_are_literals(code: str) -> bool:
    """Whether each call of the Lab, and ``open``, is given nothing but literals."""
    calls = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("lab.", "cl."))
    ]
    for call in calls:
        for value in [*call.args, *(keyword.value for keyword in call.keywords)]:
            ast.literal_eval(value)
    return len(calls) > 1


TEXT = st.text(min_size=1)


@settings(deadline=None)
@given(night=TEXT, status=TEXT, text=TEXT, sort=TEXT, path=TEXT, expression=TEXT, rule=TEXT)
def test_whatever_a_value_holds_is_a_literal(
    night: str, status: str, text: str, sort: str, path: str, expression: str, rule: str
) -> None:
    """A value must change nothing of the code but the one literal that it is."""

    def each(night: str, status: str, text: str, sort: str, path: str, rule: str, why: str):
        yield code_for("night", path, night=night)
        yield code_for("jobs", path, night=night, status=status, cause=text, text=text, sort=sort)
        yield code_for("jobs", path, night=night, status=status, sort="status", rank={status: 1})
        yield code_for("pointings", path, night=night)
        yield code_for("caltables", path, night=None, status=status)
        yield code_for("caltables", path, night="2025-10-09", status=status, reach_d=0.5)
        yield code_for("sign_off", path, night=night, thresholds=status)
        yield code_for("dashboard", path, night=night)
        yield code_for("images", path, night=night, type=status, text=text)
        yield code_for("images", path, night=None, type=status, text=None, photometry=False)
        yield code_for(
            "variability", path, flux_scale=True, n_sigma=2.0, expression=why, text=text,
            rules=[rule], sort=sort,
        )  # fmt: skip

    sorts = {"latest", "status"}
    safe = "x" if sort in sorts else sort
    codes = zip(
        each(night, status, text, safe, path, rule, expression),
        each(*["plain"] * 7),
        strict=True,
    )
    for code, plain in codes:
        assert shape(code) == shape(plain)
        assert arguments_are_literals(code)


def test_a_panel_without_code_is_named() -> None:
    """Asking for the code of no panel must be an error that lists those that have some."""
    with pytest.raises(InvalidInput, match=r"night, .*jobs, pointings"):
        code_for("nonsense")


async def test_a_panel_that_tells_nothing_has_no_code() -> None:
    """A panel that sets no ``_asked`` must say so in place of code, and not fail."""

    class Bare(Panel):
        title = "Bare"

        def _build(self):
            return [], [ipywidgets.HTML()]

        async def _fetch(self):
            return None

        def _show(self, value):
            return "1 of 1 rows"

    panel = Bare(None)
    await panel.settled()
    assert panel.code() == ""
    press(panel)
    assert panel._code_view.text.startswith("#")
    panel.close()


@pytest.mark.notebooks
def test_the_code_runs_in_a_kernel(season_folder: Callable[..., Path]) -> None:
    """Pasted into a notebook the cell must run as it stands and show the table."""
    code = code_for("jobs", str(season_folder()), night="2025-10-09", sort="status", rank={})
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
    try:
        shown: list[dict[str, str]] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "execute_result":
                shown.append(message["content"]["data"])

        reply = client.execute_interactive(code, output_hook=hear, timeout=120)["content"]
        assert reply["status"] == "ok", reply
        assert "<table" in shown[0]["text/html"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
