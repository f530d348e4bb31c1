"""Secrets that must be read again, kept so that a stolen database does not tell them: sealed with a key of a file."""

import base64
import binascii
import os
import re
import secrets
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2.2: random nonces of 96 bits, good for 2^32 messages with a key
_LINE = re.compile(r"([0-9a-f]{8}) ([A-Za-z0-9+/]{43}=)")


class SealBroken(Exception):
    """What was sealed cannot be read: its key is not in the file, or it was changed, or is another record's."""


class Keyring:
    """
    AES-256-GCM (NIST SP 800-38D) with the keys of a file, one a line, as an id and base64. The first one seals, all of
    them open. The file is made on first use, readable by its owner only; losing it loses what was sealed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, bytes] = {}

    def seal(self, secret: bytes, what: str) -> str:
        """
        Args:
            what: the record that the secret belongs to: it opens as part of that one only.

        Raises:
            SealBroken: the key file is not good.
            OSError: it cannot be read or made.
        """
        if not self._keys:
            self._load()
        key_id = next(iter(self._keys))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _cipher(self._keys[key_id]).encrypt(nonce, secret, _associated(key_id, what))
        return f"{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, what: str) -> bytes:
        """
        Raises:
            SealBroken
            OSError: the key file cannot be read.
        """
        # Loaded only here: few servers have anything sealed.
        from cryptography.exceptions import InvalidTag

        key_id, _, body = sealed.partition(".")
        if key_id not in self._keys:
            # Another process may have put a new key first meanwhile.
            self._load()
        if key_id not in self._keys:
            raise SealBroken(f"the key {key_id} is not in {self._path}")
        try:
            raw = base64.urlsafe_b64decode(body)
            return _cipher(self._keys[key_id]).decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(key_id, what)
            )
        except (InvalidTag, ValueError, binascii.Error):
            raise SealBroken(f"it was not sealed as {what}, or was changed") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the first key of the file, as it is now, has sealed this."""
        self._load()
        return sealed.partition(".")[0] == next(iter(self._keys))

    def add_key(self) -> str:
        """Put a new key first. Returns its id. The older ones stay, for what they have sealed."""
        self._load()
        key_id, key = _new_key()
        self._write({key_id: key, **self._keys}, replace=True)
        self._load()
        return key_id

    def _load(self) -> None:
        if not self._path.exists():
            self._write(dict([_new_key()]), replace=False)
        lines = [line.strip() for line in self._path.read_text(encoding="ascii", errors="replace").splitlines()]
        matches = [_LINE.fullmatch(line) for line in lines if line and not line.startswith("#")]
        keys = {match[1]: base64.b64decode(match[2]) for match in matches if match}
        if not keys or None in matches or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise SealBroken(f"{self._path} is no file of keys: each line is an id of 8 digits and 32 bytes in base64")
        self._keys = keys

    def _write(self, keys: dict[str, bytes], *, replace: bool) -> None:
        descriptor, name = mkstemp(dir=self._path.parent, prefix=f"{self._path.name}.")  # readable by its owner only
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{key_id} {base64.b64encode(key).decode()}\n" for key_id, key in keys.items())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(self._path)
            return
        # Two servers that start on one folder at once must end up with one key: the first link wins.
        try:
            os.link(temporary, self._path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()


def _new_key() -> tuple[str, bytes]:
    return secrets.token_hex(4), secrets.token_bytes(_KEY_BYTES)


def _associated(key_id: str, what: str) -> bytes:
    return f"{key_id} {what}".encode()


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
