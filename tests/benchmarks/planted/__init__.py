"""Faults to plant in a pipeline's database, and nights without one: can checks be trusted?"""

from . import measured, runs, tables  # noqa: F401 - each declares its kinds
from .kinds import KINDS, Kind

__all__ = ["KINDS", "Kind"]
