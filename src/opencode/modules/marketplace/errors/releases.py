"""
What can go wrong with releases and their files.

    NotFound     ReleaseNotFound · FileNotFound
    Conflict     VersionTaken · TooManyReleases · ReleaseInUse · FileNameTaken · FileNameSpent · TooManyFiles
    Invalid      ChecksumMismatch · UploadBrokenOff
    TooLarge     FileTooLarge
    Busy         UploadsAtOnce
    Unavailable  FileMissing
"""

from opencode.kernel.errors import Busy, Conflict, Invalid, NotFound, TooLarge, Unavailable


class ReleaseNotFound(NotFound):
    """The project has no such release."""

    title = "The release was not found"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"There is no release {version[:100]!r}.", action="GET /api/v1/projects/{slug}/releases lists all of them."
        )


class FileNotFound(NotFound):
    """The release has no file of this name."""

    title = "The file was not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"The release has no file {name[:200]!r}.", action="Get the release; it lists its files.")


class VersionTaken(Conflict):
    """The project has this version already, perhaps written in another way."""

    title = "The version is taken"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The project has a release {version} already; 1.0 and 1.0.0 are one version.",
            action="Choose a higher version.",
        )


class TooManyReleases(Conflict):
    """One project has as many releases as there may be."""

    title = "Too many releases"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The project has {most} releases, which is the most.", action="Delete one that nobody has downloaded."
        )


class ReleaseInUse(Conflict):
    """Somebody has downloaded a file of the release, and may rely on it."""

    title = "The release is in use"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Somebody has downloaded a file of {version}, so nothing of it can be deleted.",
            action='Take it back instead: PATCH it with {"yanked": true}, and nobody is offered it any more.',
        )


class FileNameTaken(Conflict):
    """The release has a file of this name with another content; files never change."""

    title = "The file exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The release has a file {name} with another content, and files never change.",
            action="Choose another name, or release a new version.",
        )


class FileNameSpent(Conflict):
    """A file of this version had this name and another content before it was deleted; people may know its checksum."""

    title = "The name was used before"

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"{version} had a file {name} with another content, and a name never stands for two.",
            action="Choose another name, or release a new version.",
        )


class TooManyFiles(Conflict):
    """One release has as many files as there may be."""

    title = "Too many files"

    def __init__(self, most: int) -> None:
        super().__init__(f"The release has {most} files, which is the most.", action="Put several into an archive.")


class ChecksumMismatch(Invalid):
    """What came is not what the checksum in the request's head announced; nothing of it is kept."""

    title = "The checksum differs"

    def __init__(self, name: str, sha256: str) -> None:
        super().__init__(f"The SHA-256 of what came as {name} is {sha256}.", action="Send it again.")


class UploadBrokenOff(Invalid):
    """The caller went away before the whole file was there; nothing of it is kept."""

    title = "The upload broke off"

    def __init__(self) -> None:
        super().__init__("The upload ended before the file did.", action="Send it again.")


class FileTooLarge(TooLarge):
    """A file has more bytes than there is room for; `detail` says which limit it is."""

    title = "The file is too large"

    def __init__(self, name: str, most: int, reason: str) -> None:
        super().__init__(
            f"{name} may have {most} bytes, {reason}.", action="Make it smaller, or ask the operator for more room."
        )


class UploadsAtOnce(Busy):
    """One person uploads too many files at the same time."""

    title = "Too many uploads at once"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You are uploading {most} files already.", action="Wait until one of them is done.", retry_after_s=5
        )


class FileMissing(Unavailable):
    """The storage does not hold what the database knows, as after a restored backup without files."""

    title = "The file is missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The server has lost the content of {name}.", action="Tell its operator; the owner can upload it anew."
        )
