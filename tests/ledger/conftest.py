"""What tests of the ledger share: what an entry says, rows, keys and a ledger of six entries."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contimg_lab.ledger.chain import Head
from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.keys import SigningKey
from contimg_lab.ledger.store import Ledger
from contimg_lab.ledger.verify import is_listed


@pytest.fixture(scope="session")
def said() -> Callable[..., dict[str, Any]]:
    """What an entry says, with members of one's own choice."""

    def make(**members: object) -> dict[str, Any]:
        return {
            "kind": "sign-off",
            "corrects": None,
            "reviewer": "Ana Núñez",
            "listed": False,
            "night": "2025-10-09",
            "hours": {"06": {"decision": "accept", "promotion": None}},
            "decision": "accept",
            "reason": "noise and flux scale as on other nights",
            "exceptions": [],
            "notes": "",
            "versions": {"contimg_lab": "0.1.0"},
            "thresholds": {"name": "default", "digest": "0" * 64, "values": {"snr": 3.0}},
            "results": [{"check": "noise", "word": "pass", "value": 0.013}],
            "recommendation": {"decision": "accept", "rule": "no check failed"},
            "database": {"identity": "1" * 64, "layout": "unified"},
            **members,
        }

    return make


@pytest.fixture(scope="session")
def rows() -> Callable[[int], Evidence]:
    """Evidence whose rows are those of one seed."""

    def make(seed: int) -> Evidence:
        images = [
            ("06", f"/images/{n}.fits", [n, 0.012 + seed / 1e3, None]) for n in range(seed % 3 + 1)
        ]
        return Evidence([gather("images", ["id", "noise_jy", "beam_pa_deg"], images)])

    return make


@dataclass(frozen=True)
class Signed:
    """A ledger of six entries: its folder, its head, who may sign, and with which keys."""

    folder: Path
    head: Head
    reviewers: dict[str, set[str]]
    keys: dict[str, SigningKey]

    def copy(self, folder: Path) -> Ledger:
        """Copy it, to be tampered with."""
        folder.mkdir(parents=True, exist_ok=True)
        return Ledger(shutil.copy(self.folder / "ledger.sqlite3", folder / "ledger.sqlite3"))


@pytest.fixture(scope="session")
def signed(tmp_path_factory, said, rows) -> Signed:
    """Ana signs 1, 2 and 5, Bo 3 and 6 (a correction of 3); 4 is by a guest, without a key."""
    folder = tmp_path_factory.mktemp("signed")
    ledger = Ledger(folder / "ledger.sqlite3")
    keys = {"Ana Núñez": SigningKey(), "Bo": SigningKey()}
    reviewers = {name: {key.public_key} for name, key in keys.items()}
    for number, name in enumerate(["Ana Núñez", "Ana Núñez", "Bo", "guest", "Ana Núñez", "Bo"], 1):
        key = keys.get(name)
        listed = is_listed(reviewers, name, key.public_key if key else None)
        more = {"kind": "correction", "corrects": 3} if number == 6 else {}
        ledger.append(
            said(reviewer=name, listed=listed, night=f"2025-10-{number:02d}", **more),
            evidence=rows(number),
            key=key,
        )
    return Signed(folder, ledger.head(), reviewers, keys)
