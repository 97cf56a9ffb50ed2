"""A key signs, is kept where its owner alone can read it, and says why where it cannot be used."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import example, given
from hypothesis import strategies as st

from contimg_lab.errors import InvalidInput, SigningKeyError
from contimg_lab.ledger.keys import SigningKey, is_signed_by, key_path, load_key, save_key
from contimg_lab.ledger.verify import is_listed

KEY = SigningKey()


@given(st.binary(), st.binary())
def test_a_signature_fits_one_text_and_one_key(text: bytes, other: bytes) -> None:
    """A signature fits the bytes that were signed and the key that signed, and no others."""
    signature = KEY.sign(text)
    assert is_signed_by(KEY.public_key, signature, text)
    assert is_signed_by(KEY.public_key, signature, other) == (text == other)
    assert not is_signed_by(SigningKey().public_key, signature, text)


@given(st.integers(0, 511))
def test_a_bit_of_a_signature(bit: int) -> None:
    """A signature with any one bit changed fits nothing."""
    raw = bytearray.fromhex(KEY.sign(b"night"))
    raw[bit // 8] ^= 1 << bit % 8
    assert not is_signed_by(KEY.public_key, raw.hex(), b"night")


@pytest.mark.parametrize("noise", ["", "xx", "00", "0" * 64, "0" * 128])
def test_noise_is_no_signature(noise: str) -> None:
    """What is no key and no signature fits nothing, and is no failure."""
    assert not is_signed_by(noise, KEY.sign(b"x"), b"x")
    assert not is_signed_by(KEY.public_key, noise, b"x")


def test_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """A saved key reads back as itself, in a file of mode 0600 in a new folder of mode 0700."""
    path = tmp_path / "keys" / "Ana.pem"
    old = os.umask(0)
    try:
        save_key(KEY, path)
    finally:
        os.umask(old)
    assert load_key(path).public_key == KEY.public_key
    assert load_key(path).sign(b"x") == KEY.sign(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_never_written_over(tmp_path: Path) -> None:
    """A key that is there stays, whatever is saved in its place."""
    save_key(KEY, tmp_path / "a.pem")
    with pytest.raises(SigningKeyError, match="never written over"):
        save_key(SigningKey(), tmp_path / "a.pem")
    assert load_key(tmp_path / "a.pem").public_key == KEY.public_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_open_to_others(tmp_path: Path, mode: int) -> None:
    """A key that others may use is refused, with what to do."""
    save_key(KEY, tmp_path / "a.pem")
    (tmp_path / "a.pem").chmod(mode)
    with pytest.raises(SigningKeyError, match="chmod 600"):
        load_key(tmp_path / "a.pem")


def test_what_is_no_key(tmp_path: Path) -> None:
    """No file, a folder, noise, another kind of key, one with a password: each is named."""

    def pem(key, how=None) -> bytes:
        how = how or serialization.NoEncryption()
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)

    ed, curve = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    texts = {
        "noise": b"x", "empty": b"", "cut": pem(ed)[:-30], "other": pem(curve),
        "locked": pem(ed, serialization.BestAvailableEncryption(b"x")),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in (*texts, "folder", "nothing"):
        with pytest.raises(SigningKeyError, match=name):
            load_key(tmp_path / name)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """A key that cannot be written is an error that names the path."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(SigningKeyError, match="file"):
        save_key(KEY, tmp_path / "file" / "a.pem")


def test_not_shown_and_not_pickled() -> None:
    """The private key is in no repr and no pickle."""
    assert repr(KEY) == f"SigningKey(public_key={KEY.public_key!r})"
    with pytest.raises(SigningKeyError):
        pickle.dumps(KEY)


@given(st.text(), st.text(max_size=15))
@example("0" * 193, "0")
def test_paths_of_names(name: str, other: str) -> None:
    """Each name has a path of its own in one folder; an empty or endless one is an error."""
    try:
        path = key_path(name)
    except InvalidInput:
        assert not name.strip() or len(name) > 15
        return
    assert path.parent == key_path("Ana").parent
    assert path.suffix == ".pem"
    if other.strip():
        assert (path == key_path(other)) == (name.strip() == other.strip())


@pytest.mark.parametrize(
    ("reviewers", "name", "key", "listed"),
    [
        ({"Ana": {"aa"}}, "Ana", "aa", True),
        ({"Ana": {"aa", "bb"}}, "Ana", "bb", True),
        ({"Ana": {"aa"}}, "Ana", "cc", False),
        ({"Ana": {"aa"}}, "Ana", None, False),
        ({"Ana": {"aa"}}, "Bo", "aa", False),
        ({"Ana": set()}, "Ana", None, True),
        ({"Ana": set()}, "Ana", "aa", False),
        ({}, "Ana", "aa", False),
    ],
)
def test_who_is_listed(reviewers, name, key, listed: bool) -> None:
    """Listed is a name with one of its keys; a name without keys signs without."""
    assert is_listed(reviewers, name, key) is listed
