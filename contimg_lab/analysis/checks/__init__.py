"""What is checked of a night: small declared rules over columns that were read before."""

from __future__ import annotations

# what a file of checks declares is known once it is imported
from contimg_lab.analysis.checks import (
    calibration,
    clocks,
    images,
    jobs,
    ms,
    photometry,
    scales,
    sources,
)
from contimg_lab.analysis.checks._declared import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    SCOPES,
    SEVERITIES,
    WARN,
    WORDS,
    Check,
    Found,
    check,
)
from contimg_lab.analysis.checks._night import Columns, Night, make_night
from contimg_lab.analysis.checks._registry import GROUP, all_checks, run_checks
from contimg_lab.analysis.checks._tables import TABLES, Column

__all__ = [
    "FAIL",
    "GROUP",
    "NOT_APPLICABLE",
    "PASS",
    "SCOPES",
    "SEVERITIES",
    "TABLES",
    "WARN",
    "WORDS",
    "Check",
    "Column",
    "Columns",
    "Found",
    "Night",
    "all_checks",
    "calibration",
    "check",
    "clocks",
    "images",
    "jobs",
    "make_night",
    "ms",
    "photometry",
    "run_checks",
    "scales",
    "sources",
]
