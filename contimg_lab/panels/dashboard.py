"""The dashboard: how the last night went, which database, and every panel in a tab."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.panels import TABS, panel_class
from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._night_words import runs_verdict, verdict_html
from contimg_lab.panels._words import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from contimg_lab.panels._live_plot import LivePlot
    from contimg_lab.services.night_summary import NightSummary

__all__ = ["DashboardPanel"]


class DashboardPanel(Panel):
    """Every panel on one Lab; a tab reads when it is first opened.

    Parameters
    ----------
    lab
        An open Lab.
    night
        Night of the summary, which the panels follow: a UTC date or ``last``.
    tab
        Name of the panel to open first.
    start
        Read at once.
    """

    title = "Dashboard"
    by_frames = False
    shows = ("job", "status", "image", "caltable")

    def __init__(
        self, lab: Any, *, night: str = LAST_NIGHT, tab: str = TABS[0], start: bool = True
    ) -> None:
        self._first_night = str(night)
        self._first_tab = tab
        self._panels: dict[str, Panel] = {}
        self._selected = lab.selection.night  # when the filter was set
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._night = Choice("Night", night_options(()), self._first_night, self._on_filter)
        self._database = widgets.HTML(_database_html(self._lab))
        self._database.add_class("contimg-detail")
        self._verdict = widgets.HTML()
        self._verdict.add_class("contimg-board")
        self._still = widgets.Box([self._verdict], layout={"height": "28px", "overflow": "auto"})
        self._places = [widgets.VBox() for _ in TABS]
        titles = tuple(panel_class(name).title for name in TABS)
        self._tabs = widgets.Tab(
            self._places, titles=titles, selected_index=TABS.index(self._first_tab)
        )
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._tabs, self._on_tab, "selected_index")
        self._place_verdict()
        return [self._night.widget], [self._still, self._database, self._tabs]

    @property
    def panels(self) -> dict[str, Panel]:
        """Panels made so far, by name."""
        return dict(self._panels)

    def show_tab(self, name: str) -> None:
        """Open the tab of a panel by its name."""
        self._tabs.selected_index = TABS.index(name)

    async def _fetch(self) -> tuple[Sequence[str], NightSummary | None]:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        if night is None:
            night = nights[-1] if nights else None
        return nights, None if night is None else await self._lab.qa.summary(night)

    def _show(self, value: tuple[Sequence[str], NightSummary | None]) -> str:
        nights, summary = value
        options = [pair for pair in night_options(nights) if pair[1] != "all"]
        self._night.offer(options)
        if summary is None:
            self._verdict.value = ""
            return "no Measurement Set in this database has a time"
        self._make_frame = summary.to_pandas
        self._asked = ("dashboard", {"night": summary.night})
        self._verdict.value = verdict_html([runs_verdict(summary)])
        return f"Night {summary.night} (UTC): {len(nights)} nights in all, to {nights[-1]}"

    def refresh(self) -> None:
        """Read the summary and the panels that were opened again."""
        super().refresh()
        for panel in self._panels.values():
            panel.refresh()
        self._open_tab()

    def _on_filter(self, change: Any) -> None:
        self._selected = self._lab.selection.night
        super().refresh()
        for panel in self._panels.values():
            if panel.by_night:
                panel._night.choose(self._night.value)

    def _on_live(self, change: Any) -> None:
        super()._on_live(change)
        for panel in self._panels.values():
            panel._head.live.value = change["new"]

    def _on_tab(self, change: Any) -> None:
        self._place_verdict()
        self._open_tab()
        for name, panel in self._panels.items():
            panel._ties.see(visible=name == self._tab)

    def _place_verdict(self) -> None:
        """Tell what broke, except above the tab that tells it as well."""
        self._still.layout.display = "none" if self._tab == "night" else None

    @property
    def _tab(self) -> str | None:
        index = self._tabs.selected_index
        return None if index is None else TABS[index]

    def _layout(self) -> dict[str, Any]:
        return {"tab": self._tab, "open": list(self._panels)}

    def _arrange(self, layout: Mapping[str, Any]) -> None:
        names = [*layout.get("open", ()), layout.get("tab")]
        for name in names:
            if name in TABS:
                self.show_tab(name)

    def _open_tab(self) -> None:
        index = self._tabs.selected_index
        if index is None or self.state == "closed" or TABS[index] in self._panels:
            return
        kind = panel_class(TABS[index])
        options: dict[str, Any] = {"night": self._night.value} if kind.by_night else {}
        chosen = self._lab.selection.night
        if kind.selects == "night" and chosen not in (None, self._selected):
            options["night"] = chosen  # later than the filter was set
        panel = kind(self._lab, **options)
        panel._head.live.value = self._head.live.value
        panel._head.tools.history = False
        panel._after.append(self._settle)
        panel.shower = self.show_tab
        self._panels[TABS[index]] = panel
        self._places[index].children = (panel,)

    async def _rest(self) -> None:
        """Wait for the summary and for every panel that was opened."""
        await super()._rest()
        await asyncio.gather(*(panel._rest() for panel in tuple(self._panels.values())))

    def _pictures(self) -> Sequence[LivePlot]:
        return [plot for panel in self._panels.values() for plot in panel._pictures()]

    def figure(self) -> Figure | None:
        """Return the figure of the panel whose tab is open."""
        index = self._tabs.selected_index
        panel = None if index is None else self._panels.get(TABS[index])
        return None if panel is None else panel.figure()

    def _static(self) -> tuple[str, str]:
        pages = [panel._static_page() for panel in self._panels.values()]
        return (
            f"{self._database.value}{self._verdict.value}" + "<hr>".join(html for html, _ in pages),
            "\n\n".join(text for _, text in pages),
        )


def _database_html(lab: Any) -> str:
    files = f"<code>{escape(lab.title)}</code>"
    notes = "".join(f"; {escape(note)}" for note in lab.layout.notes)
    missing = "".join(f"; absent: {escape(why)}" for why in lab.layout.absent.values())
    return f"{files} ({escape(lab.layout.name)} layout, read-only){notes}{missing}"
