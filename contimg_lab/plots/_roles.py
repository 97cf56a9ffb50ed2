"""How each role in a chart looks: one table for the drawn figure and for the live plot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contimg_lab.plots._style import COLOURS

__all__ = ["PALETTES", "ROLES", "Look", "look_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colour by name, marker or line, sizes in points; shape and colour both tell roles apart.

    Markers are matplotlib's, and ``limit``: an arrow that hangs from its point.
    """

    colour: str
    marker: str = ""
    size: float = 4.0
    filled: bool = True
    edged: bool = False
    width: float = 1.2
    dash: str = "-"
    alpha: float = 1.0
    error_width: float = 0.9
    hatched: bool = False
    edge_colour: str = ""
    order: float = 3.0


def _status(colour: str, marker: str) -> Look:
    return Look(colour=colour, marker=marker, size=6, edged=True, width=0.4, alpha=0.75)


def _state(colour: str, marker: str) -> Look:
    return Look(colour=colour, marker=marker, size=5, edged=True, width=0.3, alpha=0.8)


ROLES: dict[str, Look] = {
    "point": Look(colour="blue", marker="o"),
    # light curves
    "detection": Look(colour="blue", marker="o", size=3.5),
    "peak": Look(colour="blue", marker="s", size=3.5),
    "measured": Look(
        colour="grey", marker="o", size=3, filled=False, alpha=0.6, error_width=0.6, order=2
    ),
    "limit": Look(colour="vermilion", marker="limit", size=12, filled=False, width=1.1),
    "left out": Look(colour="black", marker="x", size=6, filled=False, order=4),
    "late": Look(colour="purple", marker="|", size=6, filled=False),
    "mean": Look(colour="orange", width=1.2, alpha=0.3, order=1),
    # fields
    "field": Look(colour="blue", marker="o", size=4, edged=True, width=0.3, alpha=0.6),
    "unfitted": Look(colour="grey", marker="o", size=3.5, filled=False, width=0.7, alpha=0.7),
    "selected rule": Look(colour="vermilion", marker="D", size=5.5, filled=False, order=4),
    "constant": Look(colour="grey", width=0.9, dash=":", order=2),
    "cut": Look(colour="orange", width=1.3, dash="--", alpha=0.1, order=1.5),
    "searched": Look(colour="orange", width=1.1, dash="--", order=2),
    # periods
    "power": Look(colour="blue", width=1.1),
    "false alarm": Look(colour="grey", width=1.0, dash=":", order=2),
    "rarer alarm": Look(colour="grey", width=1.0, dash="--", order=2),
    "rarest alarm": Look(colour="grey", width=1.0, order=2),
    "best": Look(colour="vermilion", marker="v", size=8, edged=True, width=0.8, order=5),
    "peak of power": Look(colour="purple", marker="D", size=4.5, filled=False, order=4),
    "echo": Look(colour="blue", marker="o", size=3.5, alpha=0.35, error_width=0.6, order=2),
    "turn": Look(colour="grey", width=0.8, dash=":", order=1),
    # status of a Measurement Set
    "completed": _status("green", "o"),
    "failed": _status("vermilion", "X"),
    "running": _status("blue", "^"),
    "pending": _status("grey", "s"),
    "processing": _status("blue", "^"),
    "converted": _status("sky", "v"),
    "other status": _status("purple", "D"),
    # on the sky and in the strip
    "calibrator": Look(colour="orange", marker="+", size=12, filled=False, width=2.0, order=5),
    "galactic plane": Look(colour="purple", width=1.4, dash="--", order=1.5),
    "gap": Look(colour="grey", alpha=0.22, order=1),
    "jump": Look(colour="vermilion", marker="D", size=10, filled=False, width=1.4, order=4),
    "off meridian": Look(colour="vermilion", marker="D", size=10, filled=False, width=1.4, order=4),
    "raw group": Look(colour="black", marker="h", size=8, filled=False, width=1.4, order=4),
    # quality of cal tables
    "pass": _state("green", "o"),
    "warn": _state("orange", "^"),
    "fail": _state("vermilion", "X"),
    "fail line": Look(colour="vermilion", width=1.3, order=1.5),
    # checks of a night
    "good": Look(colour="green", marker="o", size=5, edged=True, width=0.4),
    "doubtful": Look(colour="orange", marker="^", size=8, edged=True, width=0.6, order=3.1),
    "bad": Look(colour="vermilion", marker="X", size=8.5, edged=True, width=0.6, order=3.2),
    "not applicable": Look(colour="grey", marker="s", size=5, filled=False, width=1.0),
    "bar": Look(colour="sky", alpha=0.45, order=1.2),
    "good band": Look(colour="green", alpha=0.12, order=0.5),
    "hour median": Look(colour="black", width=1.8, order=2.5),
    "one tile's limit": Look(colour="purple", width=1.2, dash=":", order=1.5),
    "edge tile": Look(colour="purple", marker="s", size=9.5, filled=False, width=1.2, order=2.8),
    # coverage by cal tables
    "inside": _state("green", "o"),
    "nearest": _state("orange", "^"),
    "none": _state("vermilion", "X"),
    "unknown": _state("purple", "D"),
    "window": Look(colour="sky", edge_colour="blue", width=0.8, alpha=0.55, order=2),
    "old window": Look(colour="grey", filled=False, hatched=True, width=0.8, order=2),
    # images over time
    "tile": Look(colour="blue", marker="o", size=5, edged=True, width=0.4),
    "tile median": Look(colour="blue", marker="o", size=5),
    "few before": Look(colour="blue", marker="o", size=5, filled=False),
    "stands out": Look(colour="vermilion", marker="^", size=9, order=4),
    "holds source": Look(colour="purple", marker="s", size=9, filled=False, width=1.4, order=4),
    "night median": Look(colour="orange", width=1.3, order=2),
    "before": Look(colour="grey", width=1.2, dash="--", order=2),
    "night shown": Look(colour="black", width=1.0, dash=":", order=1.5),
    "expected": Look(colour="sky", alpha=0.2, order=1),
    "good epoch": Look(colour="green", width=1.2, dash=":", order=2),
    # what the reader chose
    "selected": Look(colour="black", marker="o", size=13, filled=False, width=1.8, order=6),
}
"""Look of each role; a chart knows no other."""

# open markers that grow: a source that several rules select wears them one around the other
_VARIANTS: dict[str, tuple[dict[str, object], ...]] = {
    "stands out": ({"marker": "^"}, {"marker": "v"}),  # high, low
    "left out": tuple({"marker": marker} for marker in ("x", "+", "1", "2", "3", "4")),
    "selected rule": (
        {"marker": "D", "colour": "vermilion", "size": 5.5},
        {"marker": "s", "colour": "black", "size": 7.5},
        {"marker": "^", "colour": "green", "size": 10.5},
        {"marker": "v", "colour": "purple", "size": 10.5},
        {"marker": "h", "colour": "orange", "size": 13.0},
    ),
}

PALETTES: dict[str, dict[str, str]] = {
    "light": COLOURS
    | {
        "black": "#212121", "orange": "#B37400", "sky": "#2A8CC4", "green": "#00875F",
        "yellow": "#8C7F00", "blue": "#0072B2", "vermilion": "#D55E00", "purple": "#B4588A",
    },
    "dark": COLOURS
    | {
        "black": "#E6E6E6", "green": "#20B88A", "blue": "#5AA9E0", "sky": "#8CCBF0",
        "vermilion": "#F27A3F", "purple": "#DE93B8", "grey": "#9E9E9E",
    },
}  # fmt: skip
"""The palette on a light and on a dark page: each stands out from the page at least 3 to 1."""


def look_of(role: str, variant: int = 0) -> Look:
    """Look of a role; its variants, where it has some, differ in shape, and then repeat."""
    variants = _VARIANTS.get(role)
    if not variants:
        return ROLES[role]
    return replace(ROLES[role], **variants[variant % len(variants)])  # type: ignore[arg-type]
