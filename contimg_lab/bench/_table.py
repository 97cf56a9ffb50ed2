"""The table of figures as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from contimg_lab.bench._lines import Line

__all__ = ["brief", "table"]

_COLUMNS: Sequence[tuple[str, Callable[[Line], float | None]]] = (
    ("per s", lambda each: each.per_s),
    ("seconds", lambda each: each.seconds),
    ("p50 ms", lambda each: each.p50_ms),
    ("p95 ms", lambda each: each.p95_ms),
    ("p99 ms", lambda each: each.p99_ms),
    ("stall ms", lambda each: each.stall_ms),
    ("peak MB", lambda each: each.peak_mb),
    ("child MB", lambda each: each.children_mb or None),
    ("times", lambda each: each.ratio),
    ("memory", lambda each: each.memory_ratio),
    ("growth", lambda each: each.growth),
)
_MEANINGS = (
    "per s: how often a second; seconds: of one time; p50, p95, p99: latency; stall: longest time",
    "in which the event loop let nobody else run; peak and child MB: peak memory of the process",
    "and of its largest child; times: as fast as the older design, or as the note says; memory:",
    "as a fraction of the older design's; growth: cost as a multiple of that at the smallest size",
)


def table(lines: Iterable[Line]) -> str:
    """Lay all lines out, those of one work together, with what the columns mean below."""
    found = list(lines)
    works = list(dict.fromkeys(each.work for each in found))
    order = sorted(found, key=lambda each: (works.index(each.work), each.n_rows))
    cells = [["work", "size", "way", *(name for name, _ in _COLUMNS), "note"]]
    shown = ("", 0)
    for each in order:
        head = (each.work, each.n_rows)
        work, size = ("", "") if head == shown else (each.work, f"{each.n_rows:,}")
        shown = head
        cells.append([work, size, each.way, *(_number(of(each)) for _, of in _COLUMNS), each.note])
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]) - 1)]
    left = {0, 2}
    rows = [
        "  ".join(
            [
                *(
                    row[k].ljust(width) if k in left else row[k].rjust(width)
                    for k, width in enumerate(widths)
                ),
                row[-1],
            ]
        ).rstrip()
        for row in cells
    ]
    return "\n".join([rows[0], "-" * len(rows[0]), *rows[1:], "", *_MEANINGS])


def brief(each: Line) -> str:
    """One line in words, for who watches."""
    told = [f"{_number(value)} {name}" for name, of in _COLUMNS if (value := of(each)) is not None]
    return f"{each.work}, {each.n_rows:,}, {each.way}: {', '.join([*told, each.note]).rstrip(', ')}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"
