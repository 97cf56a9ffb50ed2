"""Who verifies needs almost nothing."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from contimg_lab.ledger.verify import check_lines
first = set(sys.modules)
import contimg_lab.ledger.export, contimg_lab.ledger.store
kept = sys.stdin.buffer.read().splitlines()
assert len(kept) == 6 and not [one for one in check_lines(kept) if one.is_broken]
tops = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(*sorted(name for name in tops if not name.startswith(("_", "editable"))))
print("sqlite3" in first)
"""


def test_verifying_imports_nothing_but_cryptography(signed) -> None:
    """Verifying, storing and exporting import cryptography and no other package; no SQL either."""
    from contimg_lab.ledger.store import Ledger

    lines = b"\n".join(Ledger(signed.folder / "ledger.sqlite3").lines())
    said = subprocess.run(
        [sys.executable, "-c", CODE], input=lines, capture_output=True, timeout=60, check=True
    )
    packages, has_sql = said.stdout.decode().splitlines()
    assert set(packages.split()) - {"cffi", "sitecustomize"} == {"contimg_lab", "cryptography"}
    assert has_sql == "False"
