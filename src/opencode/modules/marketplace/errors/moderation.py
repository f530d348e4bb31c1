"""
What can go wrong with reports, appeals and decisions of moderators.

    NotFound   CaseNotFound
    Forbidden  OwnReport · NotYourWords
    Conflict   ProjectHeld · WordsHeld · NotHeld · ReportedAlready · AppealedAlready · CaseDecided
               DecisionNotPossible · AnotherModeratorDecides
    Busy       ReportsTooFast
"""

from opencode.kernel.errors import Busy, Conflict, Forbidden, NotFound


class CaseNotFound(NotFound):
    """No such case."""

    title = "The case was not found"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"There is no case {case_id[:100]!r}.",
            action="Choose one from the queue: the page Moderation, or GET /api/v1/moderation/cases.",
        )


class OwnReport(Forbidden):
    """Nobody reports what is their own."""

    title = "Your own cannot be reported"

    def __init__(self, name: str) -> None:
        super().__init__(f"You cannot report {name}: it is yours.", action="Change it or delete it.")


class ProjectHeld(Conflict):
    """A moderator has taken the project out of sight."""

    title = "The project is held by moderators"

    def __init__(self, slug: str, doing: str, status: str) -> None:
        super().__init__(
            f"Nobody can {doing} {slug}: moderators have {status} it.",
            action="Its owner finds the reason in the project's moderation field, and may appeal.",
        )


class WordsHeld(Conflict):
    """A moderator has taken a review or a profile out of sight."""

    title = "Moderators hold it"

    def __init__(self, name: str, doing: str, hold: str) -> None:
        super().__init__(
            f"Nobody can {doing} {name}: moderators have {hold} it.",
            action="Whose it is finds the reason in its moderation field, and may appeal.",
        )


class NotHeld(Conflict):
    """There is no decision to appeal against."""

    title = "There is nothing to appeal against"

    def __init__(self, name: str) -> None:
        super().__init__(f"No decision keeps {name} out of sight.", action="Nothing needs to be done.")


class NotYourWords(Forbidden):
    """Only whose review or profile it is may do this."""

    title = "This is somebody else's"

    def __init__(self, name: str, doing: str) -> None:
        super().__init__(f"You may not {doing} {name}.", action="Only its author may.")


class ReportedAlready(Conflict):
    """One person has one open report of one thing."""

    title = "You have reported it already"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Your report of {name} waits for a moderator.", action="Wait for the decision; you will be told."
        )


class AppealedAlready(Conflict):
    """There is one appeal against each decision."""

    title = "You have appealed already"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"An appeal for {name} waits for a moderator, or was decided.", action="Wait for the decision."
        )


class CaseDecided(Conflict):
    """Somebody else has decided the case in the meantime."""

    title = "The case is decided"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"The case {case_id} is decided already.",
            action="Look at the decision; only restore, or remove after quarantine, is possible now.",
        )


class DecisionNotPossible(Conflict):
    """The subject is deleted, was never hidden, or is of a kind that this decision does not fit."""

    title = "The decision is not possible"

    def __init__(self, decision: str, why: str) -> None:
        super().__init__(f"You cannot {decision} it: {why}.", action="Decide otherwise.")


class AnotherModeratorDecides(Conflict):
    """The moderator has a part in the case, and there is another one who has none."""

    title = "Another moderator decides"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"You own or reported what case {case_id} is about, or the appeal is against your own decision.",
            action="Leave it to another moderator.",
        )


class ReportsTooFast(Busy):
    """One person files too many reports or appeals."""

    title = "Too many reports"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You file reports too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)
