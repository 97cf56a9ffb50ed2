"""The keys of every panel, as its help and the documentation tell them."""

from __future__ import annotations

__all__ = ["KEYS"]

KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "In a table": (
        ("↑ ↓, Page Up, Page Down", "move; the row is chosen when you stop"),
        ("Home, End", "first and last row"),
        ("← →", "move between columns"),
        ("↑ from the first row", "go to the header; there Enter sorts: up, down, as it came"),
        ("Enter or Space", "choose the row"),
        ("Ctrl C", "copy the row with its header"),
        ("Esc", "choose nothing"),
    ),
    "In the calendar": (
        ("← →", "the night before, the next; those that the filter leaves out are stepped over"),
        ("↑ ↓, Page Up, Page Down", "a week or four weeks back, or on"),
        ("Home, End", "first and last night"),
        ("Enter or Space", "choose the night"),
        ("d", "anywhere in the panel: what has changed since it was signed; once more: back"),
        ("s", "anywhere in the panel: sign it, or sign it again"),
    ),
    "In a plot": (
        ("← →, Home, End", "walk from point to point"),
        ("Enter", "choose the point"),
        ("Space", "add the point to what is chosen, or take it out"),
        ("+ − 0", "zoom in, zoom out, show all"),
        ("Esc", "choose nothing"),
    ),
    "In the sign-off form": (
        ("Tab, Shift Tab", "from hour to hour: decision, class, reasons; then who, why, and Sign"),
        ("↑ ↓", "another decision or class"),
        ("Space", "tick “I have looked, and decide …”"),
        ("Enter or Space on a button", "judge again, or sign"),
    ),
    "Anywhere in a panel": (
        ("Tab, Shift Tab", "go on to the next control, or back"),
        ("Alt ← and Alt →", "back and forward through what was chosen"),
    ),
}
"""Keys and what they do, by place."""
