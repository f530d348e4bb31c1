"""
What can go wrong with projects and profiles, and with requests in general.

    NotFound   ProjectNotFound · ProfileNotFound
    Forbidden  NotYourProject · NotYourProfile · YourOwnProject
    Conflict   NameTaken · HandleTaken · StatusNotPossible · NotPublished · NothingToDownload · TooManyProjects
               SameKeyOtherProject
    Outdated   ProjectOutdated
    Invalid    ProjectRefused
    Busy       ProjectsTooFast · ActsTooFast · PreviewsTooFast
"""

from opencode.kernel.errors import Busy, Conflict, FieldProblem, Forbidden, Invalid, NotFound, Outdated


class ProjectNotFound(NotFound):
    """No such project, or a draft of somebody else: both read the same."""

    title = "The project was not found"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no project {slug[:200]!r} that you may see.", action="Check the address, or search for it."
        )


class ProfileNotFound(NotFound):
    """Nobody has this handle."""

    title = "The profile was not found"

    def __init__(self, handle: str) -> None:
        super().__init__(f"Nobody has the handle {handle[:100]!r}.", action="Check the address.")


class NotYourProject(Forbidden):
    """The project is somebody else's."""

    title = "Not your project"

    def __init__(self, slug: str, doing: str) -> None:
        super().__init__(f"You may not {doing} {slug}: it is not yours.", action="Ask its owner.")


class NotYourProfile(Forbidden):
    """The profile is somebody else's."""

    title = "Not your profile"

    def __init__(self, handle: str) -> None:
        super().__init__(f"The profile {handle} is not yours.", action="Change your own; GET /api/v1/me/profile is it.")


class YourOwnProject(Forbidden):
    """Nobody reviews what is theirs."""

    title = "Your own project"

    def __init__(self, slug: str) -> None:
        super().__init__(f"You may not review {slug}: it is yours.", action="Reply to what others say of it.")


class NameTaken(Conflict):
    """Another project of the owner has, or had, this name."""

    title = "The name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"Another project of this owner has, or had, the name {name}.", action="Choose another name.")


class HandleTaken(Conflict):
    """Somebody has, or had, this handle; links to it must not lead to another person."""

    title = "The handle is taken"

    def __init__(self, handle: str) -> None:
        super().__init__(f"Somebody has, or had, the handle {handle}.", action="Choose another handle.")


class StatusNotPossible(Conflict):
    """What was published does not become a draft again."""

    title = "The status is not possible"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(
            f"A project that is {before} cannot become {after}.", action="Archive it, and it leaves the catalogue."
        )


class NotPublished(Conflict):
    """The action needs a project that is published."""

    title = "The project is not published"

    def __init__(self, slug: str, doing: str) -> None:
        super().__init__(f"Nobody can {doing} {slug}: it is a draft.", action="Publish it first.")


class NothingToDownload(Conflict):
    """The project has no file to offer, and names no repository."""

    title = "There is nothing to download"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} has no file and names no repository.",
            action="Ask its owner to release something, or to set repository_url.",
        )


class TooManyProjects(Conflict):
    """One person has as many projects as the server allows."""

    title = "Too many projects"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} projects, which is the most.", action="Delete one that you do not need.")


class SameKeyOtherProject(Conflict):
    """The Idempotency-Key was used for another project."""

    title = "The key was used for another project"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key came with another request.", action="Take a new key for a new project.")


class ProjectOutdated(Outdated):
    """Somebody changed the project, or the profile, since it was read."""

    title = "Changed in the meantime"

    def __init__(self, what: str, revision: int, shown: str) -> None:
        super().__init__(
            f"{what} is at revision {revision}; your If-Match was {shown[:100]}.",
            action="Get it again, look at what changed, and send your change with the new ETag.",
        )


class ProjectRefused(Invalid):
    """Fields of a project or profile break a rule; `errors` names all of them."""

    title = "Fields are not valid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = ", ".join(problem.pointer.lstrip("/") for problem in problems)
        super().__init__(
            f"There are problems with: {listed}.", action="Correct the fields named in errors.", problems=problems
        )


class ProjectsTooFast(Busy):
    """One person makes or changes projects too fast."""

    title = "Too many changes"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You make and change projects too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s
        )


class ActsTooFast(Busy):
    """One person follows, reviews or collects too fast."""

    title = "Too many at once"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You follow, review and collect too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s
        )


class PreviewsTooFast(Busy):
    """One person has texts rendered too fast."""

    title = "Too many previews"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You have texts rendered too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)
