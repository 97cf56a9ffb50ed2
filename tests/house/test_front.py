"""What panels run in the browser is built, and says whose it is."""

from __future__ import annotations

import json
from pathlib import Path

FRONT = Path(__file__).resolve().parents[2] / "contimg_lab" / "panels" / "front"


def test_every_module_is_built_and_bears_its_licences():
    """Each script must have its bundle, and each library in them its licence beside them."""
    scripts = {path.name for path in (FRONT / "src").glob("*.js") if path.name[0] != "_"}
    built = {path.name for path in (FRONT / "dist").glob("*.js")}
    assert built == scripts
    licences = (FRONT / "dist" / "LICENCES.txt").read_text(encoding="utf-8")
    libraries = json.loads((FRONT / "package.json").read_text())["dependencies"]
    for name in libraries:
        assert f"{name}\n{'=' * len(name)}\n" in licences
    assert "Apache License" in licences
    assert "MIT" in licences
