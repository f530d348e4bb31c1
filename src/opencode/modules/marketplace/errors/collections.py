"""
What can go wrong with collections.

    NotFound   CollectionNotFound · ItemNotFound
    Forbidden  NotYourCollection
    Conflict   TooManyCollections · CollectionFull
"""

from opencode.kernel.errors import Conflict, Forbidden, NotFound


class CollectionNotFound(NotFound):
    """No such collection, or a private one of somebody else: both read the same."""

    title = "The collection was not found"

    def __init__(self, collection_id: str) -> None:
        super().__init__(
            f"There is no collection {collection_id[:100]!r} that you may see.", action="Check the address."
        )


class ItemNotFound(NotFound):
    """The project is not in the collection."""

    title = "Not in the collection"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug[:200]!r} is not in the collection.", action="Look at its items.")


class NotYourCollection(Forbidden):
    """The collection is somebody else's."""

    title = "Not your collection"

    def __init__(self) -> None:
        super().__init__("The collection is not yours.", action="Make one of your own.")


class TooManyCollections(Conflict):
    """One person has as many collections as the server allows."""

    title = "Too many collections"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} collections, which is the most.", action="Delete one that you do not need.")


class CollectionFull(Conflict):
    """A collection holds as many projects as one can."""

    title = "The collection is full"

    def __init__(self, most: int) -> None:
        super().__init__(f"The collection holds {most} projects, which is the most.", action="Make another one.")
