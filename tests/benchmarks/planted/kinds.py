"""Faults as they come into a pipeline's database: each a few statements at a random place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .places import Place, Planted

__all__ = ["KINDS", "Kind", "kind"]

Plant = Callable[[Place, float], Planted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault.

    Attributes
    ----------
    name, about
        What it is, with its size in braces.
    check
        Which must tell it.
    size
        How much of it.
    follows
        Checks that rightly tell what comes of it, too.
    sweep
        Other sizes, to see where it begins to be told.
    plant
        Changes the rows, and says what must be told.
    """

    name: str
    about: str
    check: str
    size: float
    follows: frozenset[str]
    sweep: tuple[float, ...]
    plant: Plant

    @property
    def told(self) -> str:
        """What is planted, in words."""
        return self.about.format(f"{self.size:g}")


KINDS: dict[str, Kind] = {}


def kind(
    about: str, check: str, *, size: float = 1, follows: str = "", sweep: tuple[float, ...] = ()
) -> Callable[[Plant], Plant]:
    """Declare a kind of fault under the name of its function."""

    def declare(plant: Plant) -> Plant:
        name = plant.__name__
        KINDS[name] = Kind(
            name=name, about=about, check=check, size=size, follows=frozenset(follows.split()),
            sweep=sweep, plant=plant,
        )  # fmt: skip
        return plant

    return declare
