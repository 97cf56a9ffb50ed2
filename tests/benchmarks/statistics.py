"""Statistics of many sources beside pandas, polars and Python loops, measured in one run.

``python tests/benchmarks/statistics.py [--sources 25000] [--epochs 400]`` prints one table: time,
ratio to our moment statistics, and peak memory over the input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# this file's own name is that of a standard module, which what is measured needs
sys.path = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent]


def main() -> None:
    """Measure and print."""
    from contimg_lab.bench._statistics import rows

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=25_000)
    parser.add_argument("--epochs", type=int, default=400)
    args = parser.parse_args()
    work = ""
    for row in rows(args.sources, args.epochs):
        if row["work"] != work:
            work = row["work"]
            print(work)
        peak = "" if row["peak_mb"] is None else f"{row['peak_mb']:8.1f} MB"
        print(f"  {row['way']:44} {row['seconds']:9.3f} s {row['ratio']:9.2f} {peak}")


if __name__ == "__main__":
    main()
