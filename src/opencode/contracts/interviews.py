"""What `interviews` says aloud."""

from datetime import datetime

from opencode.contracts.events import Event
from opencode.kernel.ids import InterviewId, ParticipantId, RunId


class InterviewCreated(Event, frozen=True, tag="interviews.created.v1"):
    interview_id: InterviewId
    interviewer_id: str
    created_at: datetime


class InterviewStarted(Event, frozen=True, tag="interviews.started.v1"):
    interview_id: InterviewId
    started_at: datetime


class InterviewEnded(Event, frozen=True, tag="interviews.ended.v1"):
    interview_id: InterviewId
    ended_at: datetime


class ParticipantAdmitted(Event, frozen=True, tag="interviews.participant_admitted.v1"):
    interview_id: InterviewId
    participant_id: ParticipantId
    admitted_at: datetime


class RunFinished(Event, frozen=True, tag="interviews.run_finished.v1"):
    """A run of an interview has its verdict; `status` is a word of `contracts.execution.Verdict`."""

    interview_id: InterviewId
    run_id: RunId
    status: str
    finished_at: datetime
