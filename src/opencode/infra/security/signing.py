"""Short-lived signed statements, for what is checked more often than a database should be asked."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from tempfile import mkstemp
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_KEY_BYTES = 32


class Signer:
    """HMAC-SHA-256 (RFC 2104) over msgpack, both in URL-safe base64, joined by a dot."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> "Signer":
        """The key in a file of the data folder; made on first use, readable by its owner only."""
        if not path.exists():
            descriptor, name = mkstemp(dir=path.parent, prefix=f"{path.name}.")  # readable by its owner only
            temporary = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            # Two servers that start on one folder at once must end up with one key: the first link wins.
            try:
                os.link(temporary, path)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        return cls(path.read_bytes())

    def sign(self, statement: msgspec.Struct) -> str:
        body = _encode(msgspec.msgpack.encode(statement))
        return f"{body}.{_encode(self._mac(body))}"

    def verify(self, signed: str, statement_type: type[S]) -> S | None:
        """The statement, or None when the signature is not ours. Whether it is still good is the caller's question."""
        body, _, mac = signed.partition(".")
        try:
            if not hmac.compare_digest(self._mac(body), _decode(mac)):
                return None
            return msgspec.msgpack.decode(_decode(body), type=statement_type)
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            return None

    def derive(self, purpose: str) -> bytes:
        """
        A secret of 256 bits for one purpose, the same each time: it need not be kept, so a stolen database does not
        hold it.
        """
        # Statements are signed as base64, which has no colon: no signature of one is ever the secret of a purpose.
        return self._mac(f"derive:{purpose}")

    def _mac(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), hashlib.sha256)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
