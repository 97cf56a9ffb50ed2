"""What is checked of a night: small declared rules over columns that were read before."""

from __future__ import annotations

from contimg_lab.analysis.checks._night import TABLES, Column, Columns, Night, make_night

__all__ = ["TABLES", "Column", "Columns", "Night", "make_night"]
