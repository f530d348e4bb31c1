"""What moderators decide about: a project, a review or a profile, as it is now, and what a decision makes of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from opencode.contracts.marketplace import ProfileChanged, ProjectRated
from opencode.modules.marketplace.domain.addresses import page_of_person, page_of_project
from opencode.modules.marketplace.domain.moderation import (
    HOLD_OF,
    Decision,
    Hold,
    Subject,
    SubjectKind,
    hold_after,
    status_after,
)
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.review import Review
from opencode.modules.marketplace.service.base import listing_events
from opencode.modules.marketplace.store import MarketplaceWork, Stores


@dataclass(frozen=True, slots=True)
class Found:
    """
    The subject of a case as it is now.

    Attributes:
        concerned: people whom a decision concerns although they are not its owner; none of them should make it.
    """

    thing: Project | Review | Profile
    concerned: frozenset[str] = frozenset()

    @property
    def hold(self) -> Hold | None:
        return HOLD_OF.get(self.thing.status) if isinstance(self.thing, Project) else self.thing.hold

    @property
    def words(self) -> tuple[str, str]:
        """What it says first, and what it says then."""
        match self.thing:
            case Project(title=title, summary=summary):
                return title, summary
            case Review(rating=rating, title=title, body=body):
                return f"{rating} of 5: {title}" if title else f"{rating} of 5", body
            case Profile() as own:
                rest = {
                    "Skills": ", ".join(own.skills),
                    "Location": own.location,
                    "Website": own.website,
                    "GitHub": own.github,
                    "Avatar": own.avatar,
                }
                facts = "\n".join(f"{name}: {value}" for name, value in rest.items() if value)
                return own.display_name, "\n\n".join(part for part in (own.bio, facts) if part)


def review_subject(review: Review, author_handle: str, slug: str) -> Subject:
    name = f"{author_handle}'s review of {slug}"
    return Subject(SubjectKind.REVIEW, review.id, review.author_id, name, f"{page_of_project(slug)}#reviews")


def profile_subject(profile: Profile) -> Subject:
    name, path = f"{profile.handle}'s profile", page_of_person(profile.handle)
    return Subject(SubjectKind.PROFILE, profile.user_id, profile.user_id, name, path)


async def find_subject(stores: Stores, subject: Subject, *, to_change: bool = False) -> Found | None:
    """
    None when it is deleted.

    Args:
        to_change: nobody else changes it until this transaction is over.
    """
    match subject.kind:
        case SubjectKind.PROJECT:
            shown = await stores.projects.get(subject.id, to_change=to_change)
            return Found(shown.project) if shown else None
        case SubjectKind.REVIEW:
            review = await stores.reviews.get(subject.id, to_change=to_change)
            shown = await stores.projects.get(review.project_id) if review else None
            return Found(review, frozenset({shown.project.owner_id})) if review and shown else None
        case SubjectKind.PROFILE:
            profile = await stores.profiles.of(subject.id, to_change=to_change)
            return Found(profile) if profile else None


async def carry_out(work: MarketplaceWork, found: Found, decision: Decision, at: datetime) -> None:
    """Make of the subject what was decided, and tell those who keep pages of it."""
    match found.thing:
        case Project() as project:
            after = project.held(status_after(decision, project.status, project.held_from))
            if after is not project:
                await work.stores.projects.save(after)
                for event in listing_events(project, after, at):
                    work.publish(event)
        case Review() as review:
            hold = hold_after(decision, review.hold)
            await work.stores.reviews.save(replace(review, hold=hold))
            if (hold is None) != (review.hold is None):
                work.publish(ProjectRated(project_id=review.project_id, at=at))
        case Profile() as profile:
            held = profile.held(hold_after(decision, profile.hold))
            if held is not profile:
                await work.stores.profiles.save(held)
                work.publish(ProfileChanged(user_id=held.user_id, at=at))
