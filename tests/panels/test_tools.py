"""The tools in a panel's head: a way back and forward, units, and the keys that help tells of."""

from __future__ import annotations

from typing import Any

import contimg_lab as cl
from contimg_lab.panels import make_panel
from contimg_lab.panels._base import Panel
from contimg_lab.panels._keys import KEYS
from contimg_lab.units import Units


def say(panel: Panel, **content: Any) -> None:
    """Say what the browser says when a tool is used."""
    panel._head.tools._handle_custom_msg(content, [])


async def test_back_and_forward_are_offered_while_there_is_a_way(demo: cl.Lab) -> None:
    """Each panel must offer back only after something was chosen, forward only after back."""
    while demo.selection.can_go_back:
        demo.selection.back()
    demo.selection.clear()
    panels = [make_panel(name, demo) for name in ("pointings", "caltables")]
    for panel in panels:
        await panel._rest()
    tools = panels[0]._head.tools
    began = (tools.can_back, tools.can_forward)
    first, second = (ms.path for ms in await demo.ms.list_ms(limit=2))
    for path in (first, second):
        panels[0]._choose(path)
    say(panels[1], do="back")  # in another panel: the past is that of the Lab
    assert demo.selection.ms_path == first
    for panel in panels:
        await panel._rest()
        assert (panel._head.tools.can_back, panel._head.tools.can_forward) == (True, True)
    assert panels[0].selected == first
    say(panels[0], do="forward")
    assert demo.selection.ms_path == second
    assert not tools.can_forward
    assert began[1] is False or demo.selection.can_go_back
    for panel in panels:
        panel.close()
    say(panels[0], do="back")
    assert demo.selection.ms_path == second  # a closed panel does nothing


async def test_a_dashboard_has_one_way_back(demo: cl.Lab) -> None:
    """Panels in a dashboard must leave back and forward to it."""
    dashboard = demo.dashboard()
    await dashboard._rest()
    inner = next(iter(dashboard.panels.values()))
    assert dashboard._head.tools.history
    assert not inner._head.tools.history
    demo.selection.source = "NVSS J000000+161500"
    assert dashboard._head.tools.can_back
    assert not inner._head.tools.can_back
    dashboard.close()


async def test_units_are_chosen_in_the_head(demo: cl.Lab) -> None:
    """A panel with fluxes must offer their unit, and choose it for the whole Lab."""

    class Fluxes(type(demo.ms.panel(start=False))):  # type: ignore[misc]
        has_flux = True
        has_positions = False

    one, other = Fluxes(demo), Fluxes(demo)
    assert (one._head.tools.flux, one._head.tools.positions) == ("mJy", "")
    say(one, do="flux", value="Jy")
    assert demo.view.units.flux == "Jy"
    assert other._head.tools.flux == "Jy"
    demo.view.units.choose(**Units().to_dict())
    assert one._head.tools.flux == "mJy"
    one.close()
    other.close()


async def test_help_is_the_documented_keys(demo: cl.Lab) -> None:
    """What the help shows must be the one constant that the documentation is made of."""
    panel = demo.jobs.panel(start=False)
    told = {place: tuple(map(tuple, pairs)) for place, pairs in panel._head.tools.help_keys}
    assert told == KEYS
    panel.close()
