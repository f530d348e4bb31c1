"""What a server asks of the process that has its index: `CatalogIndex` as messages, in MessagePack."""

from typing import Generic, TypeVar

import msgspec

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import Found, Known, Listing, Namesake, Search, Standing

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Call(Generic[Asked, Answered]):
    """
    One thing that can be asked for.

    Attributes:
        number: what it is called in a message.
        asked, answered: read what goes there, and what comes back.
    """

    def __init__(self, number: int, asked: type[Asked], answered: type[Answered]) -> None:
        self.number = number
        self.asked = msgspec.msgpack.Decoder(asked)
        self.answered = msgspec.msgpack.Decoder(answered)


encoded = msgspec.msgpack.Encoder().encode
Ids = list[ProjectId]
Nothing = type(None)

SEARCH = Call(0, Search, Found)
NAMED = Call(1, tuple[list[str], int], list[Namesake])
PUT = Call(2, list[Listing], Nothing)
REMOVE = Call(3, Ids, Nothing)
STAND = Call(4, list[tuple[ProjectId, Standing]], Nothing)
SEAL = Call(5, Nothing, Nothing)
SETTLE = Call(6, Nothing, Nothing)
KNOWN = Call(7, Ids, list[Known])
BETWEEN = Call(8, tuple[str, str, int], Ids)
COUNT = Call(9, Nothing, int)
LOAD = Call(10, str, bool)
SAVE = Call(11, tuple[str, bool], Nothing)
OUTDATED = Call(12, tuple[Ids, list[int]], Ids)
UNPUBLISHED = Call(13, Nothing, Ids)
STANDING_OTHERWISE = Call(14, tuple[Ids, list[float], list[float]], Ids)
