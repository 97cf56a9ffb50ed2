"""What a file means: which file owns a table, and how older sites named and shaped things."""

from contimg_lab.layouts._layout import ALIASES, Layout
from contimg_lab.layouts.detect import detect

__all__ = ["ALIASES", "Layout", "detect"]
