"""A reviewer's key: made, kept in a file that its owner alone can read, and used to sign."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contimg_lab.errors import InvalidInput, SigningKeyError

__all__ = ["SigningKey", "is_signed_by", "key_path", "load_key", "save_key"]

_MOST_BYTES = 10_000  # a key's file has 120


class SigningKey:
    """An Ed25519 key that can sign. Two of them are never the same: each is made at random.

    Its repr and the public key are safe to show; the private key leaves it by `save_key` alone.
    """

    __slots__ = ("_private",)

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()

    def __repr__(self) -> str:
        return f"SigningKey(public_key={self.public_key!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise SigningKeyError("a signing key is not pickled; save_key keeps it in a file")

    @property
    def public_key(self) -> str:
        """The public key: 64 hex digits, for the list of reviewers."""
        return self._private.public_key().public_bytes_raw().hex()

    def sign(self, text: bytes) -> str:
        """Sign bytes; returns 128 hex digits."""
        return self._private.sign(text).hex()


def key_path(reviewer: str) -> Path:
    """Path of a reviewer's key in the user's configuration folder.

    Raises
    ------
    InvalidInput
        The name is empty, or too long for a file.
    """
    # here, since who only verifies needs no folder
    from platformdirs import user_config_path

    name = quote(reviewer.strip(), safe="", errors="replace")
    if not 0 < len(name) <= 200:
        raise InvalidInput(f"{reviewer[:60]!r} is no name of a reviewer")
    return user_config_path("contimg_lab", appauthor=False) / "keys" / f"{name}.pem"


def save_key(key: SigningKey, path: Path) -> None:
    """Write a key to a new file of mode 0600, in a folder of mode 0700 if that is new too.

    Raises
    ------
    SigningKeyError
        There is a file already (a key is never written over), or it cannot be written.
    """
    pem = key._private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SigningKeyError(f"{path} is there already; a key is never written over") from error
    except OSError as error:
        raise SigningKeyError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(number)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SigningKeyError(f"cannot write {path}: {error.strerror}") from error


def load_key(path: Path) -> SigningKey:
    """Read a key from its file.

    Raises
    ------
    SigningKeyError
        There is no such file, others can read it, or it holds no Ed25519 key.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise SigningKeyError(
                    f"others than you may use {path}; whoever read it can sign in your name: make "
                    f"a new key, or if you know better: chmod 600 {path}"
                )
            pem = stream.read(_MOST_BYTES)
    except FileNotFoundError as error:
        raise SigningKeyError(f"no key {path}; make one with `contimg-lab qa key`") from error
    except OSError as error:
        raise SigningKeyError(f"cannot read {path}: {error.strerror}") from error
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path} holds no key that can be read: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path} holds another kind of key than Ed25519")
    key = SigningKey.__new__(SigningKey)
    key._private = private
    return key


def is_signed_by(public_key: str, signature: str, text: bytes) -> bool:
    """Whether a signature is that of a public key (both in hex) on these bytes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True
