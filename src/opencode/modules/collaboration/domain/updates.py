"""
Looking into Yjs v1 encodings without the CRDT library: what has to be known before it may see them.

An update is a count of clients, their structs, then its deletions: a count of clients, and for each its id, a count of
ranges, and each range as clock and length. A state vector is a count, then pairs of client id and clock.
"""

from opencode.modules.collaboration.domain.codec import Malformed, read_var_uint


def announces_too_much(encoded: bytes) -> bool:
    """
    Whether an update or state vector claims more clients than its bytes can hold. The library makes room for as many
    as are announced: five bytes would cost it half a second and hundreds of megabytes.
    """
    if encoded[:1] < b"\x80":
        return False
    try:
        count, _ = read_var_uint(encoded, 0)
    except Malformed:
        return True
    return count > len(encoded)


def deletes_only_known(update: bytes, state_vector: bytes) -> bool:
    """
    Whether an update has nothing but deletions, all of them in what a document of this state vector holds.

    Raises:
        Malformed: one of them cannot be read.
    """
    structs, at = read_var_uint(update, 0)
    if structs:
        return False
    known = _read_state_vector(state_vector)
    clients, at = read_var_uint(update, at)
    for _ in range(clients):
        client, at = read_var_uint(update, at)
        ranges, at = read_var_uint(update, at)
        for _ in range(ranges):
            clock, at = read_var_uint(update, at)
            length, at = read_var_uint(update, at)
            if clock + length > known.get(client, 0):
                return False
    return True


def _read_state_vector(state_vector: bytes) -> dict[int, int]:
    count, at = read_var_uint(state_vector, 0)
    clocks: dict[int, int] = {}
    for _ in range(count):
        client, at = read_var_uint(state_vector, at)
        clocks[client], at = read_var_uint(state_vector, at)
    return clocks
