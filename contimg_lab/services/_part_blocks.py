"""Paragraphs and tables that one part of a report is shown as, in HTML and in plain text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.services._report_html import STYLE

__all__ = ["Block", "Lines", "Table", "blocks_html", "blocks_text"]

_CLASSES = {PASS: "pass", WARN: "warn", FAIL: "fail", NOT_APPLICABLE: "none"}
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells under headings; a cell that is a word of an outcome is coloured too."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Lines | Table


def blocks_html(title: str, blocks: Iterable[Block]) -> str:
    """Write a part as one element, with its own style; everything in it is escaped."""
    told = "".join(_html(block) for block in blocks)
    style = "".join(STYLE.split("\n"))
    return f'<div class="cl-report"><style>{style}</style><h3>{_text(title)}</h3>{told}</div>'


def blocks_text(title: str, blocks: Iterable[Block]) -> str:
    """Write a part as lines of plain text."""
    return "\n".join([_one_line(title), *(line for block in blocks for line in _plain(block))])


def _html(block: Block) -> str:
    if isinstance(block, Lines):
        return "".join(f"<p>{_text(line)}</p>" for line in block.lines)
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in block.headings)
    rows = ("".join(map(_cell, row)) for row in block.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str) -> str:
    kind = _CLASSES.get(cell)
    return f'<td class="{kind}">{_text(cell)}</td>' if kind else f"<td>{_text(cell)}</td>"


def _text(value: str) -> str:
    # a lone surrogate could not be saved
    return html.escape(value.encode("utf-8", "replace").decode("utf-8"))


def _plain(block: Block) -> list[str]:
    if isinstance(block, Lines):
        return [f"  {_one_line(line)}" for line in block.lines]
    cells = [list(map(_one_line, row)) for row in (block.headings, *block.rows)]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*cells, strict=True)]
    return [_aligned(row, widths) for row in cells]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    told = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"  {told}".rstrip()


def _one_line(text: str) -> str:
    kept = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(kept.split())
