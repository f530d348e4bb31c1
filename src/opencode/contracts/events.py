"""The base of every event that one module says aloud and others react to."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """
    Something happened, and it is saved. An event travels at least once: whoever reacts must get the same result
    from doing it twice. Subclasses set `tag="<module>.<what happened>.v<number>"`.
    """


def tag_of(event_type: type[Event]) -> str:
    """The name of an event on the wire, such as `interviews.ended.v1`."""
    return str(event_type.__struct_config__.tag)
