"""Going live, which both the interviewer's Start and the first admission do."""

from opencode.contracts.interviews import InterviewStarted
from opencode.infra.observability import metrics
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.service.base import UseCases
from opencode.modules.interviews.store import InterviewsWork


async def go_live(use_cases: UseCases, work: InterviewsWork, interview: Interview) -> Interview:
    """
    Start the interview if it has not started. The caller holds it in a transaction.

    Raises:
        InterviewOver: it has ended.
    """
    at = use_cases.clock.now()
    live = interview.start(at)
    if live == interview:
        return interview
    await work.stores.interviews.save(live)
    await work.say(live.id, at, use_cases.news_of(EventType.INTERVIEW_STARTED, live))
    work.publish(InterviewStarted(interview_id=live.id, started_at=at))
    work.after_commit(metrics.ACTIVE_INTERVIEWS.inc)
    work.after_commit(lambda: use_cases.runner.expect(live.language))
    return live
