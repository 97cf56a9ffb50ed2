"""The tables: faults told, sizes at which they begin to be told, clean nights blamed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .clean import Clean
from .kinds import Kind

__all__ = ["Row", "clean_table", "fault_table", "reaches", "sweep_table"]


@dataclass(slots=True, kw_only=True)
class Row:
    """What came of one kind at all its places, in one size."""

    kind: Kind
    size: float
    n: int = 0
    told: int = 0
    failed: int = 0
    aside: Counter[str] = field(default_factory=Counter)


def fault_table(rows: Sequence[Row], gates: frozenset[str]) -> str:
    """Say of each kind how often it was told, and who else spoke."""
    lines = [
        "| fault | check | told at its hour and rows | fails | other checks that turned worse |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        aside = ", ".join(f"{name} {n}" for name, n in row.aside.most_common()) or "none"
        check = row.kind.check + (" (gate)" if row.kind.check in gates else "")
        lines.append(
            f"| {row.kind.told} | {check} | {row.told} of {row.n} | {row.failed} | {aside} |"
        )
    n = sum(row.n for row in rows)
    aside = Counter[str]()
    for row in rows:
        aside.update(row.aside)
    told = ", ".join(f"{name} {count}" for name, count in aside.most_common()) or "none"
    lines += ["", f"false alarms by check, of all {n} placements: {told}"]
    return "\n".join(lines)


def reaches(found: Sequence[tuple[float, float]], share: float) -> float | None:
    """Size at which a share of the faults is told, between the sizes that were tried."""
    for (size, low), (larger, high) in itertools.pairwise(found):
        if low < share <= high:
            return size + (larger - size) * (share - low) / (high - low)
    return None


def sweep_table(rows: Mapping[str, Sequence[Row]]) -> str:
    """Say of each size how often it was told, and where half and 95 % of them are."""
    lines = ["| fault | told, by size | half at | 95 % at |", "| --- | --- | --- | --- |"]
    for of_kind in rows.values():
        found = [(row.size, row.told / row.n) for row in of_kind]
        told = ", ".join(f"{size:g}: {share:.0%}" for size, share in found)
        at = [reaches(found, share) for share in (0.5, 0.95)]
        half, most = ("not reached" if one is None else f"{one:.3g}" for one in at)
        lines.append(f"| {of_kind[0].kind.about.format('x')} | {told} | {half} | {most} |")
    return "\n".join(lines)


def clean_table(made: Clean, gates: frozenset[str]) -> str:
    """Say which checks speak on clean nights, and what is recommended."""
    lines = [
        f"{made.nights} clean nights, {made.hours} whole hours of them",
        "",
        "| check | judged | warns | fails | of these not so in truth | false alarms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    spoke = [name for name in made.judged if made.warned[name] + made.failed[name]]
    for name in spoke:
        share = made.false[name] / made.judged[name]
        told = name + (" (gate)" if name in gates else "")
        lines.append(
            f"| {told} | {made.judged[name]} | {made.warned[name]} | {made.failed[name]} | "
            f"{made.false[name]} | {share:.2%} |"
        )
    silent = sum(made.judged.values()) - sum(made.judged[name] for name in spoke)
    lines.append(
        f"| the other {len(made.judged) - len(spoke)} checks | {silent} | 0 | 0 | 0 | 0.00% |"
    )
    said = ", ".join(f"{word} {n}" for word, n in made.decisions.most_common())
    share, rejected = (n / max(made.hours, 1) for n in (made.blamed, made.rejected))
    lines += [
        "",
        f"recommended for the whole hours: {said}",
        f"not to be accepted as it is, without a reason in truth: {made.blamed} ({share:.2%}); "
        f"of these to be rejected: {made.rejected} ({rejected:.2%})",
    ]
    return "\n".join(lines)
