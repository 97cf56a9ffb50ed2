"""A notebook that proves its own numbers: each shown value held against the rows of today."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import ContimgLabError, InvalidInput, NotFound
from contimg_lab.ledger.evidence import Key
from contimg_lab.services._origin import versions
from contimg_lab.services._part_blocks import blocks_html
from contimg_lab.services._part_values import MEANINGS, check_of
from contimg_lab.services._part_views import part_view
from contimg_lab.services._proof import FORMAT, METADATA, seal, shown_digests, value_digest
from contimg_lab.services._proof_again import Again, row_differences
from contimg_lab.services._proof_notebook import Mark, Notebook, Output, read_notebook, write_copy
from contimg_lab.services._proof_read import Proof, read_proof
from contimg_lab.services._sign_off_verify import what_moved

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["CANNOT_TELL", "CHANGED", "NO_PROOF", "SAME", "NotebookCheck", "ShownValue",
           "verify_notebook"]  # fmt: skip

SAME, CHANGED, CANNOT_TELL, NO_PROOF = "same", "changed", "cannot tell", "no proof"

_NOT_OURS = "shown without what it was computed from"
_LIVE = "a live panel, which shows what is now"
_EDITED = "the shown text is not what was computed"
_PROOF_EDITED = "what stands beside it for its proof was edited"
_NOTHING_TO_HOLD = "no database to hold it against"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownValue:
    """What was found of one output of a notebook.

    Attributes
    ----------
    cell, output
        Its place; both count from 1.
    night, part
        What it shows, as its proof says; "" without one.
    word
        same: computed again it is the same, from the same rows. changed. cannot tell. no proof.
    why
        The word in sentences.
    """

    cell: int
    output: int
    night: str
    part: str
    word: str
    why: tuple[str, ...]

    def __str__(self) -> str:
        named = f"{self.night} {self.part}: " if self.part else ""
        told = ": ".join([self.word, "; ".join(self.why)]) if self.why else self.word
        return _printable(f"cell {self.cell}, output {self.output}: {named}{told}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCheck:
    """What was found of every output of a notebook that shows anything."""

    notebook: Notebook
    values: tuple[ShownValue, ...]

    def exit_code(self, *, allow_unproven: bool = False) -> int:
        """0: all are the same; 1: something changed; 3: cannot tell, or shown without proof.

        ``allow_unproven``: what is shown without proof, as printed text and live panels are, does
        not count, if something is there with a proof.
        """
        words = {one.word for one in self.values} - ({NO_PROOF} if allow_unproven else set())
        if CHANGED in words:
            return 1
        return 0 if words == {SAME} else 3

    def count(self, word: str) -> int:
        """How many of the values have this word."""
        return sum(one.word == word for one in self.values)

    def lines(self) -> list[str]:
        """One line for each shown value, then how many of each word."""
        counts = (f"{self.count(w)} {w}" for w in (SAME, CHANGED, CANNOT_TELL, NO_PROOF))
        return [*map(str, self.values), ", ".join(counts)]

    def to_json(self) -> dict[str, Any]:
        """Return what was found of each value, and how many there are of each word, as JSON."""
        names = ("cell", "output", "night", "part", "word")
        return {
            "counts": {w: self.count(w) for w in (SAME, CHANGED, CANNOT_TELL, NO_PROOF)},
            "values": [
                {**{name: getattr(one, name) for name in names}, "why": list(one.why)}
                for one in self.values
            ],
        }

    def save_marked(self, path: str | os.PathLike[str]) -> Path:
        """Write a copy of the notebook, a mark below each output.

        Raises
        ------
        InvalidInput
            The file exists already, or cannot be written.
        """
        marks = [Mark(one.cell, one.output, one.word, str(one)) for one in self.values]
        return write_copy(self.notebook, marks, path)


async def verify_notebook(
    path: str | os.PathLike[str], context: Context | None = None, *, why_not: str = ""
) -> NotebookCheck:
    """Hold every shown value of a saved notebook against what proves it; nothing of it is run.

    A proof is no signature: who can rewrite the whole notebook can rewrite that too, and only
    the rows of a database, or a signed entry of the ledger, tell.

    Parameters
    ----------
    path
        The notebook.
    context
        Of the database to compute each value from again; None: only what was edited is found.
    why_not
        Why there is none.

    Raises
    ------
    InvalidInput
        It is no notebook that can be read.
    """
    notebook = await asyncio.to_thread(read_notebook, path)
    read = await asyncio.to_thread(_read_all, notebook.outputs)
    judge = None if context is None else _Judge(context, [p for _, p, _, _ in read if p])
    values: list[ShownValue] = []
    for output, proof, word, why in read:
        if proof is not None and word != CANNOT_TELL:
            if judge is None:
                found, told = _untold(why_not)
            else:
                found, told = await judge.judge(proof)
            word, why = (word, (*why, *told)) if word else (found, told)
        values.append(
            ShownValue(
                cell=output.cell,
                output=output.output,
                night=proof.night if proof else "",
                part=proof.part if proof else "",
                word=word,
                why=why,
            )
        )
    return NotebookCheck(notebook=notebook, values=tuple(values))


def _untold(why_not: str) -> tuple[str, tuple[str, ...]]:
    return CANNOT_TELL, (why_not or _NOTHING_TO_HOLD,)


_Read = tuple[Output, Proof | None, str, tuple[str, ...]]


def _read_all(outputs: Sequence[Output]) -> list[_Read]:
    return [(output, *_read(output)) for output in outputs if not output.is_blank]


def _read(output: Output) -> tuple[Proof | None, str, tuple[str, ...]]:
    """The proof, and the word where the notebook alone tells it already."""
    told = output.metadata.get(METADATA)
    if told is None:
        is_live = any(kind.endswith("widget-view+json") for kind in output.data)
        return None, NO_PROOF, (_LIVE if is_live else _NOT_OURS,)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return None, CANNOT_TELL, (f"its proof is not of the format {FORMAT!r}",)
    try:
        is_whole = told.get("seal") == seal(told)
    except (InvalidInput, RecursionError):
        is_whole = False
    if not is_whole:
        return None, CHANGED, (_PROOF_EDITED,)
    try:
        proof = read_proof(told)
    except InvalidInput as error:
        return None, CANNOT_TELL, (f"its proof cannot be read: {error}",)
    try:
        is_shown = shown_digests(output.data) == proof.shown
    except InvalidInput:
        is_shown = False
    return (proof, "", ()) if is_shown else (proof, CHANGED, (_EDITED,))


class _Judge:
    """Computes each value again on one database."""

    def __init__(self, context: Context, proofs: Sequence[Proof]) -> None:
        self.context = context
        self.again = Again(context)
        self._starts: dict[tuple[str, str], Mapping[Key, str]] = {}
        self._known: dict[str, bool] = {}
        for proof in proofs:
            for name, stood in proof.tables.items():
                if stood.starts is not None:
                    self._starts[name, stood.digest] = stood.starts

    async def judge(self, proof: Proof) -> tuple[str, tuple[str, ...]]:
        """Return the word of one value, and why."""
        try:
            is_known = await self._is_known(proof.identity)
            notes: tuple[str, ...] = (
                () if is_known else ("this is another database than it was computed from",)
            )
            try:
                word, why = await self._judge(proof)
            except NotFound as error:
                word, why = (CHANGED if is_known else CANNOT_TELL), (str(error),)
        except ContimgLabError as error:
            return CANNOT_TELL, (str(error),)
        return word, (*notes, *why)

    async def _judge(self, proof: Proof) -> tuple[str, tuple[str, ...]]:
        read = await self.again.read(proof)
        differ, unknown = await asyncio.to_thread(
            row_differences, proof.tables, read.evidence, self._find_starts
        )
        value = await self.again.value(proof)
        is_same = value_digest(value) == proof.value_digest
        if differ:
            rows = f"rows changed: {'; '.join(differ)}"
            return CHANGED, (f"same value, {rows}" if is_same else f"the value is another; {rows}",)
        if unknown:
            told = "same value" if is_same else "the value is another"
            return CANNOT_TELL, (f"{told}; {'; '.join(unknown)}",)
        if is_same:
            return SAME, ()
        now = await asyncio.to_thread(versions)
        moved = what_moved(False, proof.versions, now)
        if await asyncio.to_thread(_html_digest, proof, value) != proof.shown.get("text/html"):
            return CHANGED, ("the rows are the same, the value is another", moved)
        told = "the value differs only beyond the digits that are shown, as between machines"
        return CHANGED, ("the rows are the same", told, *([moved] if now != proof.versions else []))

    def _find_starts(self, table: str, digest: str) -> Mapping[Key, str] | None:
        return self._starts.get((table, digest))

    async def _is_known(self, identity: str) -> bool:
        """Whether this is the database that a proof names, or was when it held few MS."""
        if identity not in self._known:
            known = await self.context.has_identity(identity, None)
            _, n = await self.context.identity_of_first()
            while not known and n > 1:
                n -= 1
                known = await self.context.has_identity(identity, n)
            self._known[identity] = known
        return self._known[identity]


def _html_digest(proof: Proof, value: Any) -> str:
    check = None if proof.part in MEANINGS else check_of(proof.part)
    shown = blocks_html(*part_view(proof.night, proof.part, value, check))
    return shown_digests({"text/html": shown})["text/html"]


def _printable(text: str) -> str:
    """One line that no terminal takes for an order."""
    return "".join(c if c.isprintable() else "?" for c in text)
