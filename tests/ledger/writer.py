"""A process that signs one entry after another, and says each number and hash once it is kept."""

from __future__ import annotations

import json
import sys

from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.keys import SigningKey
from contimg_lab.ledger.store import Ledger


def main(path: str, said: str, most: int, n_rows: int) -> None:
    """Append until told to stop, or killed."""
    rows = [("06", n, [0.012 + n / 1e6, f"/images/{n}.fits"]) for n in range(n_rows)]
    evidence = Evidence([gather("images", ["noise_jy", "path"], rows)])
    ledger, key, body = Ledger(path), SigningKey(), json.loads(said)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(most):
        head = ledger.append(body, evidence=evidence, key=key).head
        print(head.number, head.hash, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
