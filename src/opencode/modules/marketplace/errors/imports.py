"""
What can go wrong at the bulk door.

    NotFound  ImportNotFound
    Conflict  ImportUnderWay
    Invalid   ImportRefused
    TooLarge  ImportTooLarge
"""

from opencode.kernel.errors import Conflict, Invalid, NotFound, TooLarge


class ImportNotFound(NotFound):
    """No such import."""

    title = "The import was not found"

    def __init__(self, import_id: str) -> None:
        super().__init__(
            f"There is no import {import_id[:100]!r}.", action="Take the id that the import answered with."
        )


class ImportUnderWay(Conflict):
    """This server imports already; a second import would only make both slower."""

    title = "An import is under way"

    def __init__(self, import_id: str) -> None:
        super().__init__(f"The import {import_id} is under way.", action="Wait until it is done, then send yours.")


class ImportRefused(Invalid):
    """The body of an import cannot be taken as a whole."""

    title = "The import cannot be taken"


class ImportTooLarge(TooLarge):
    """An import has more lines or bytes than the server takes at once."""

    title = "The import is too large"

    def __init__(self, most: int, unit: str) -> None:
        super().__init__(f"An import may have {most} {unit}.", action="Send it in several parts.")
