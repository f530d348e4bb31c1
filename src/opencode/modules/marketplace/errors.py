"""
What can go wrong in the marketplace.

    NotFound        ProjectNotFound · ProfileNotFound · ImportNotFound · SearchNotFound · ReviewNotFound
                    CollectionNotFound · ItemNotFound · FeedNotFound · ReleaseNotFound · FileNotFound
                    RebuildNotFound · SitemapNotFound · CaseNotFound · ProofNotFound · SourceMissing · OrderNotFound
                    EntitlementNotFound · ProviderNotSetUp
    Forbidden       NotYourProject · NotYourProfile · YourOwnProject · YourOwnReview · NotUsed · NotYourCollection
                    OwnReport · NotYourWords · NotYourOrder
    PaymentRequired ProjectNotBought
    Conflict        NothingToProve · NoIssuer · NoSource · ProjectHeld · WordsHeld · NotHeld · ReportedAlready
                    AppealedAlready · CaseDecided · DecisionNotPossible · AnotherModeratorDecides · NameTaken
                    HandleTaken · StatusNotPossible · NotPublished · NothingToDownload · TooManyProjects
                    SameKeyOtherProject · ImportUnderWay · FollowingYourself · FollowingTooMany
                    TooManyCollections · CollectionFull · VersionTaken · TooManyReleases · ReleaseInUse
                    FileNameTaken · TooManyFiles · OwnProject · NothingToPay · NothingToDeliver · NotForSale
                    AlreadyBought · OrderOpen · OrderNotPossible · PaymentComesByItself · PaymentUnderWay
                    RefundUnderWay · PaymentsRefused · ProjectSold
    Outdated        ProjectOutdated
    Invalid         ProjectRefused · CursorOfAnotherSearch · ImportRefused · ChecksumMismatch · UploadBrokenOff
                    SourceUnknown · SourcePrivate · SourceTooLarge · OrderRefused · WebhookRefused
                    TokenRefused
    TooLarge        ImportTooLarge · FileTooLarge
    Busy            UploadsAtOnce · ProjectsTooFast · ActsTooFast · ReportsTooFast · ChecksTooFast · PreviewsTooFast
                    DraftsTooFast · LicencesTooFast
    Unavailable     SourceUnreadable · SourceBusy · FileMissing · CatalogueFilling · PaymentsUnavailable
                    IssuerNotUnderstood
"""

from collections.abc import Sequence

from opencode.infra.fetching.errors import shown
from opencode.kernel.errors import (
    Busy,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    Outdated,
    PaymentRequired,
    TooLarge,
    Unavailable,
)

_NO_SOURCES = "Fill in the form by hand, or ask the operator to set OCP_MARKETPLACE_SOURCES_GITHUB, …_PYPI or …_NPM."


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


class ImportNotFound(NotFound):
    """No such import."""

    title = "The import was not found"

    def __init__(self, import_id: str) -> None:
        super().__init__(
            f"There is no import {import_id[:100]!r}.", action="Take the id that the import answered with."
        )


class SearchNotFound(NotFound):
    """No such followed search, or somebody else's: both read the same."""

    title = "The search was not found"

    def __init__(self, search_id: str) -> None:
        super().__init__(
            f"You follow no search {search_id[:100]!r}.", action="GET /api/v1/me/searches lists those that you follow."
        )


class ReviewNotFound(NotFound):
    """No such review."""

    title = "The review was not found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no review {what[:200]}.", action="It may have been taken back; look at the list.")


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


class FeedNotFound(NotFound):
    """No such feed."""

    title = "The feed was not found"

    def __init__(self) -> None:
        super().__init__(
            "There is no feed at this address.", action="Feeds end in .atom, as /feeds/tags/web.atom does."
        )


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


class RebuildNotFound(NotFound):
    """No such rebuild of the catalogue, or one of days ago."""

    title = "The rebuild was not found"

    def __init__(self, errand_id: str) -> None:
        super().__init__(
            f"There is no rebuild {errand_id[:100]!r}.", action="Take the id that asking for the rebuild answered with."
        )


class SitemapNotFound(NotFound):
    """There are not so many sitemaps."""

    title = "The sitemap was not found"

    def __init__(self, number: int | str) -> None:
        super().__init__(f"There is no sitemap {str(number)[:20]}.", action="/sitemap.xml names those that there are.")


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


class YourOwnReview(Forbidden):
    """Nobody marks what they wrote themselves."""

    title = "Your own review"

    def __init__(self) -> None:
        super().__init__("You may not mark your own review as helpful.", action="Leave that to others.")


class NotUsed(Forbidden):
    """Only those who have used a project review it."""

    title = "You have not used it"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"You have not used {slug} yet, as far as this server knows.",
            action="Download or buy it while you are signed in, then review it.",
        )


class NotYourCollection(Forbidden):
    """The collection is somebody else's."""

    title = "Not your collection"

    def __init__(self) -> None:
        super().__init__("The collection is not yours.", action="Make one of your own.")


class CaseNotFound(NotFound):
    """No such case."""

    title = "The case was not found"

    def __init__(self, case_id: str) -> None:
        super().__init__(f"There is no case {case_id[:100]!r}.", action="Take an id from the queue.")


class ProofNotFound(NotFound):
    """The project has no such proof."""

    title = "The proof was not found"

    def __init__(self, proof_id: str) -> None:
        super().__init__(f"The project has no proof {proof_id[:100]!r}.", action="List its proofs, or begin one.")


class NothingToProve(Conflict):
    """The project names no repository, or one whose address is too long to be one."""

    title = "There is nothing to prove"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} names no repository that could be proved.", action="Set repository_url first."
        )


class NoIssuer(Conflict):
    """Nobody vouches for jobs that run for repositories of this host."""

    title = "No issuer of tokens is set up"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server believes no issuer of tokens for repositories on {host[:100]!r}.",
            action="Prove it by a file or by DNS, or ask the operator to set OCP_MARKETPLACE_OIDC_ISSUERS.",
        )


class TokenRefused(Invalid):
    """The token of a job proves nothing here."""

    title = "The token was refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"The token {why}.", action="Let a job of the repository ask for a new one, and send it once.")


class IssuerNotUnderstood(Unavailable):
    """An issuer of tokens does not say what its keys are."""

    title = "The issuer of tokens is not understood"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The issuer {url} does not tell its keys as OpenID Connect says.",
            action="Try again later, or tell the operator.",
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


class ImportUnderWay(Conflict):
    """This server imports already; a second import would only make both slower."""

    title = "An import is under way"

    def __init__(self, import_id: str) -> None:
        super().__init__(f"The import {import_id} is under way.", action="Wait until it is done, then send yours.")


class FollowingYourself(Conflict):
    """Nobody follows themselves."""

    title = "This is you"

    def __init__(self) -> None:
        super().__init__("You cannot follow yourself.", action="Follow somebody else.")


class FollowingTooMany(Conflict):
    """One person follows as many things as the server allows."""

    title = "You follow too many"

    def __init__(self, most: int, what: str) -> None:
        super().__init__(f"You follow {most} {what}, which is the most.", action="Stop following one of them first.")


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


class CursorOfAnotherSearch(Invalid):
    """The cursor was given for other words, filters or another order."""

    title = "The cursor belongs to another search"

    def __init__(self) -> None:
        super().__init__(
            "The cursor was given for another search.",
            action="Ask with the same q, filters and sort, or leave the cursor out to start over.",
            problems=(FieldProblem("/cursor", "is not a cursor of this search"),),
        )


class ImportRefused(Invalid):
    """The body of an import cannot be taken as a whole."""

    title = "The import cannot be taken"


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


class ImportTooLarge(TooLarge):
    """An import has more lines or bytes than the server takes at once."""

    title = "The import is too large"

    def __init__(self, most: int, unit: str) -> None:
        super().__init__(f"An import may have {most} {unit}.", action="Send it in several parts.")


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


class ReportsTooFast(Busy):
    """One person files too many reports or appeals."""

    title = "Too many reports"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You file reports too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)


class ChecksTooFast(Busy):
    """One person asks for too many checks of proofs; each of them asks a stranger's server."""

    title = "Too many checks"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You ask for checks too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)


class PreviewsTooFast(Busy):
    """One person has texts rendered too fast."""

    title = "Too many previews"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You have texts rendered too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)


class FileMissing(Unavailable):
    """The storage does not hold what the database knows, as after a restored backup without files."""

    title = "The file is missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The server has lost the content of {name}.", action="Tell its operator; the owner can upload it anew."
        )


class DraftsTooFast(Busy):
    """One person has drafts read too fast."""

    title = "Too many drafts"

    def __init__(self, wait_s: int) -> None:
        super().__init__("You have drafts read too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s)


class CatalogueFilling(Unavailable):
    """The server has just started and still reads the catalogue; everything but searching works."""

    title = "The catalogue is being read"

    def __init__(self) -> None:
        super().__init__(
            "This server has just started and still reads the catalogue.",
            action="Try again in a few seconds.",
            retry_after_s=2,
        )


class OrderNotFound(NotFound):
    """No such order, or one between other people: both read the same."""

    title = "The order was not found"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"There is no order {order_id[:100]!r} that you may see.", action="GET /api/v1/me/orders lists yours."
        )


class EntitlementNotFound(NotFound):
    """No such entitlement, or one of somebody else: both read the same."""

    title = "The entitlement was not found"

    def __init__(self, entitlement_id: str) -> None:
        super().__init__(
            f"You have no entitlement {entitlement_id[:100]!r}.", action="GET /api/v1/me/entitlements lists yours."
        )


class ProviderNotSetUp(NotFound):
    """Something came from a payment provider that this server does not use."""

    title = "The payment provider is not set up"

    def __init__(self, name: str) -> None:
        super().__init__(f"This server takes no payments through {name}.", action="The operator sets it up.")


class ProjectNotBought(PaymentRequired):
    """The project costs something, and the caller has not bought it."""

    title = "This project has to be bought"

    def __init__(self, slug: str, amount_minor: int, currency: str | None) -> None:
        super().__init__(
            f"The project {slug} costs {amount_minor} minor units of {currency}.",
            action=f"Buy it with POST /api/v1/projects/{slug}/orders, then try again.",
        )


class NotYourOrder(Forbidden):
    """The other side of the order, or an administrator, does this."""

    title = "Not for you to do"

    def __init__(self, order_id: str, doing: str) -> None:
        super().__init__(f"You may not {doing} {order_id}.", action="Ask its seller, or an administrator.")


class OwnProject(Conflict):
    """Nobody buys what is theirs."""

    title = "The project is yours"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is yours.", action="There is nothing to buy: download it.")


class NothingToPay(Conflict):
    """The project is free."""

    title = "The project is free"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is free.", action="There is nothing to buy: download it.")


class NothingToDeliver(Conflict):
    """Whoever paid for the project would get nothing: it has no file, no repository and no licence keys."""

    title = "There is nothing to deliver"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} has a price, but nothing that a buyer would get.",
            action="Ask its owner to add a release with a file, or the address of a repository; then order it.",
        )


class NotForSale(Conflict):
    """Only what is published is sold."""

    title = "The project is not for sale"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} is not in the catalogue.", action="Ask its owner to publish it.")


class AlreadyBought(Conflict):
    """The caller has this project."""

    title = "You have it already"

    def __init__(self, slug: str, entitlement_id: str) -> None:
        super().__init__(
            f"You have {slug} already: the entitlement {entitlement_id}.",
            action="Download it; GET /api/v1/me/entitlements lists what you have.",
        )


class OrderOpen(Conflict):
    """The caller has ordered this project already, in another number, and has not paid yet."""

    title = "An order is open"

    def __init__(self, order_id: str, quantity: int) -> None:
        super().__init__(
            f"Your order {order_id} of {quantity} is not paid yet.", action="Pay it, or cancel it and order anew."
        )


class OrderNotPossible(Conflict):
    """The order is in a state that does not allow this."""

    title = "Not possible with this order"

    def __init__(self, order_id: str, state: str, doing: str) -> None:
        super().__init__(
            f"The order {order_id} is {state}: nobody can {doing} it.", action="Look at its state, then decide anew."
        )


class PaymentComesByItself(Conflict):
    """Only orders of the manual provider are marked as paid by people."""

    title = "The payment provider tells of payments"

    def __init__(self, order_id: str, provider: str) -> None:
        super().__init__(
            f"The order {order_id} is paid through {provider}, which tells when it is.",
            action="Wait for it, or cancel the order.",
        )


class PaymentUnderWay(Conflict):
    """The order is being paid in this moment, or its checkout has ended by itself."""

    title = "A payment is under way"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"The checkout of {order_id} is not open any more: it is being paid, or has ended.",
            action="Look at the order again in a minute.",
        )


class RefundUnderWay(Conflict):
    """Another refund of the order is not finished."""

    title = "A refund is under way"

    def __init__(self, order_id: str, amount_minor: int) -> None:
        super().__init__(
            f"A refund of {amount_minor} minor units of {order_id} is not finished.",
            action="Ask for the same amount again to finish it, then for more.",
        )


class PaymentsRefused(Conflict):
    """The payment provider does not take this payment, or does not give it back."""

    title = "The payment provider refused"


class ProjectSold(Conflict):
    """People have bought the project, or are about to: it stays for them."""

    title = "The project was sold"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The project {slug} was bought by people.", action="Archive it: nobody else buys it then.")


class OrderRefused(Invalid):
    """Fields of a request about an order break a rule; `errors` names all of them."""

    title = "Fields are not valid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = ", ".join(problem.pointer.lstrip("/") for problem in problems)
        super().__init__(
            f"There are problems with: {listed}.", action="Correct the fields named in errors.", problems=problems
        )


class WebhookRefused(Invalid):
    """A call to a webhook is not from the payment provider, too old, or not understood."""

    title = "The webhook call is refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}.", action="Check the signing secret, the clock, and the version of the events.")


class LicencesTooFast(Busy):
    """One address asks about licence keys too fast."""

    title = "Too many questions"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You ask about licence keys too fast.", action=f"Try again in {wait_s} s.", retry_after_s=wait_s
        )


class PaymentsUnavailable(Unavailable):
    """The payment provider cannot be reached, does not answer in time, or answers nonsense."""

    title = "The payment provider does not answer"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The payment provider did not do it: {why}.",
            action="Try again in a moment; nothing is paid or given back twice.",
            retry_after_s=5,
        )
