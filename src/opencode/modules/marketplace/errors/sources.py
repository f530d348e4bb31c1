"""
What can go wrong when a project is read from where its code lives.

    NotFound     SourceMissing
    Conflict     NoSource
    Invalid      SourceUnknown · SourcePrivate · SourceTooLarge
    Busy         DraftsTooFast
    Unavailable  SourceUnreadable · SourceBusy
"""

from collections.abc import Sequence

from opencode.infra.fetching.errors import shown
from opencode.kernel.errors import Busy, Conflict, Invalid, NotFound, Unavailable

_NO_SOURCES = "Fill in the form by hand, or ask the operator to set OCP_MARKETPLACE_SOURCES_GITHUB, …_PYPI or …_NPM."


class SourceUnknown(Invalid):
    """An address to read a draft from leads to no place that this server knows."""

    title = "Nothing to read there"

    def __init__(self, url: str, hosts: tuple[str, ...]) -> None:
        known = f"This server reads projects of {', '.join(hosts)}." if hosts else "This server reads from nowhere yet."
        super().__init__(
            f"{shown(url) or 'An empty address'} is no project that can be read. {known}",
            action="Paste the address of its page there." if hosts else _NO_SOURCES,
        )


class NoSource(Conflict):
    """A project's repository is at no place that this server reads from, or it names none."""

    title = "There is nothing to read again"

    def __init__(self, slug: str, url: str | None, hosts: Sequence[str]) -> None:
        if url is None:
            detail, action = f"{slug} names no repository.", "Add its address to the project first."
        else:
            known = f"it reads from {', '.join(hosts)}" if hosts else "it reads from nowhere yet"
            detail = f"The repository of {slug}, {shown(url)}, is at no place that this server reads from: {known}."
            action = "Change the fields by hand." if hosts else _NO_SOURCES
        super().__init__(detail, action=action)


class SourceMissing(NotFound):
    """The place that was asked knows no such project."""

    title = "The project was not found there"

    def __init__(self, name: str, host: str) -> None:
        super().__init__(f"{host} knows no {shown(name)}.", action="Check the address; is it public?")


class SourcePrivate(Invalid):
    """The place that was asked shows the project only to some."""

    title = "The project is not public there"

    def __init__(self, name: str, host: str) -> None:
        super().__init__(
            f"{host} shows {shown(name)} only to some.", action="Make it public, or fill in the form by hand."
        )


class SourceTooLarge(Invalid):
    """The place that was asked has more to tell than is read."""

    title = "There is too much to read"

    def __init__(self, name: str, host: str, most: int) -> None:
        super().__init__(
            f"{host} has more than {most} bytes to tell of {shown(name)}.", action="Fill in the form by hand."
        )


class SourceUnreadable(Unavailable):
    """The place that was asked gave an answer that tells of no project."""

    title = "The answer is not understood"

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"The answer of {where} {why}.", action="Try again later, or fill in the form by hand.")


class SourceBusy(Unavailable):
    """The place that was asked answers no more for now: this server has asked it too often."""

    title = "The other server wants us to wait"

    def __init__(self, host: str, wait_s: int) -> None:
        super().__init__(
            f"{host} has been asked too often from here.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s
        )


class DraftsTooFast(Busy):
    """One person has drafts read too fast."""

    title = "Too many drafts"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You have drafts read too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)
