"""
The end of a run, an answer or a draft, whoever comes to it: its driver, the interview's end, a server that finds it
lost.
"""

from datetime import datetime

import msgspec

from opencode.contracts.execution import Verdict
from opencode.contracts.interviews import RunFinished
from opencode.infra.observability import metrics
from opencode.kernel.ids import InterviewId
from opencode.modules.interviews.domain.assistant import Question, QuestionState
from opencode.modules.interviews.domain.records import Audience, EventType
from opencode.modules.interviews.domain.run import Run
from opencode.modules.interviews.domain.summary import Summary, SummaryState
from opencode.modules.interviews.domain.views import QuestionView, RunBrief, SummaryView
from opencode.modules.interviews.store import InterviewsWork, News, Stores


async def save_finished(work: InterviewsWork, finished: Run, *before: News) -> bool:
    """
    Save the end of a run and say it, after the output in `before`. False, and nothing is said, when the run has its
    end already: the first one counts.
    """
    # The interview first, as everybody does: two transactions that lock in different orders wait for each other.
    await work.stores.interviews.hold(finished.interview_id)
    if not await work.stores.runs.save(finished):
        return False
    at = finished.finished_at
    verdict = finished.status
    if at is None or verdict is None:
        raise ValueError(f"run {finished.id} is not finished")
    news = News(EventType.RUN_FINISHED, {"run": RunBrief.of(finished)}, about=finished.id)
    await work.say(finished.interview_id, at, *before, news)
    work.publish(
        RunFinished(interview_id=finished.interview_id, run_id=finished.id, status=verdict.value, finished_at=at)
    )
    work.after_commit(metrics.RUNS.labels(language=finished.language, verdict=verdict.value).inc)
    return True


async def give_up(work: InterviewsWork, run: Run, status: Verdict, message: str, at: datetime) -> bool:
    """Finish a run that somebody else drives or drove, with what it printed so far. False when it was finished."""
    await work.stores.interviews.hold(run.interview_id)
    stdout, stderr = await _printed_so_far(work.stores, run)
    return await save_finished(work, run.give_up(status, message, stdout=stdout, stderr=stderr, at=at))


class _Printed(msgspec.Struct):
    stream: str
    text: str
    stage: str | None = None
    """Output of before this was written down has none."""


async def _printed_so_far(stores: Stores, run: Run) -> tuple[str, str]:
    said = await stores.records.output_of(run.interview_id, run.id)
    printed = [msgspec.json.decode(data, type=_Printed) for data in said]
    printed = [chunk for chunk in printed if run.stage is None or chunk.stage in (None, run.stage)]
    stdout = "".join(chunk.text for chunk in printed if chunk.stream == "stdout")
    return stdout, "".join(chunk.text for chunk in printed if chunk.stream == "stderr")


async def save_answered(work: InterviewsWork, ended: Question, *before: News) -> bool:
    """
    Save the end of an answer and say it, after the pieces in `before`. False, and nothing is said, when it has its end
    already: the first one counts.
    """
    await work.stores.interviews.hold(ended.interview_id)
    if not await work.stores.questions.finish(ended):
        return False
    at = ended.finished_at
    if at is None:
        raise ValueError(f"question {ended.id} is not finished")
    failed = ended.state is QuestionState.FAILED
    kind = EventType.ASSISTANT_FAILED if failed else EventType.ASSISTANT_FINISHED
    await work.say(ended.interview_id, at, *before, News(kind, {"question": QuestionView.of(ended)}, about=ended.id))
    return True


async def give_up_answer(work: InterviewsWork, question: Question, failure: str, at: datetime) -> bool:
    """End an answer that somebody else drives or drove, with what was said so far. False when it had ended."""
    await work.stores.interviews.hold(question.interview_id)
    answer, _ = await said_so_far(work.stores, question.interview_id, question.id)
    return await save_answered(work, question.failed(answer, failure, at))


async def save_drafted(work: InterviewsWork, ended: Summary, *before: News) -> bool:
    """
    Save the end of a draft and say it, after the pieces in `before`. False, and nothing is said, when it has its end
    already, or was discarded.
    """
    await work.stores.interviews.hold(ended.interview_id)
    if not await work.stores.summaries.finish(ended):
        return False
    at = ended.finished_at
    if at is None:
        raise ValueError(f"summary {ended.id} is not finished")
    kind = EventType.SUMMARY_FAILED if ended.state is SummaryState.FAILED else EventType.SUMMARY_DRAFTED
    await work.say(ended.interview_id, at, *before, news_of_summary(kind, ended))
    return True


async def give_up_draft(work: InterviewsWork, summary: Summary, failure: str, at: datetime) -> bool:
    """End a draft that somebody else drives or drove, with what was written so far. False when it had ended."""
    await work.stores.interviews.hold(summary.interview_id)
    text, _ = await said_so_far(work.stores, summary.interview_id, summary.id)
    return await save_drafted(work, summary.failed(text, failure, at))


def news_of_summary(kind: EventType, summary: Summary) -> News:
    """News that carries a summary. It is nobody's but the interviewers'."""
    adds: dict[str, object] = {"summary": SummaryView.of(summary)}
    return News(kind, adds, about=summary.id, audience=Audience.INTERVIEWERS)


async def said_so_far(stores: Stores, interview_id: InterviewId, about: str) -> tuple[str, int]:
    """What an answer or a draft has said, and the number of the event that told the last of it; 0 before the first."""
    said = await stores.records.pieces_of(interview_id, about)
    text = "".join(msgspec.json.decode(data, type=_Piece).text for _, data in said)
    return text, said[-1][0] if said else 0


class _Piece(msgspec.Struct):
    text: str
