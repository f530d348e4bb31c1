"""Bytes that programs print, as text where they are text."""

import base64


def text_of(data: bytes) -> tuple[str, str | None]:
    """The text, and base64 of the bytes where they are not UTF-8, so that nothing is lost; None where they are."""
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), base64.b64encode(data).decode()


def split_whole(data: bytes) -> tuple[bytes, bytes]:
    """Bytes that end between two characters, and the beginning of a character that is not complete yet."""
    # A character has four bytes at the most: its first one is among the last three, or it is complete.
    for back in range(1, min(3, len(data)) + 1):
        first = data[-back]
        if 0xC2 <= first <= 0xF4:  # RFC 3629: no other byte begins a character of several
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return (data[:-back], data[-back:]) if length > back else (data, b"")
        if first < 0x80:
            break
    return data, b""
