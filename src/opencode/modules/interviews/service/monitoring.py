"""What a candidate's page observes: pastes, lost focus, idle times. That it happened, never what was in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opencode.kernel.ids import new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.records import Audience, EventType, Signal, SignalKind
from opencode.modules.interviews.domain.views import SignalView
from opencode.modules.interviews.policy import Action
from opencode.modules.interviews.service.base import UseCases
from opencode.modules.interviews.store import News


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing observed; see `domain.records.Signal`."""

    kind: SignalKind
    size: int | None = None
    language: str | None = None
    line: int | None = None
    column: int | None = None
    duration_ms: int | None = None


class Monitoring(UseCases):
    async def report(self, interview_id: str, by: Principal, observed: Sequence[Observation]) -> None:
        """
        Args:
            observed: in the order in which it happened, 20 at the most.

        Raises:
            TooFast: too many reports within a minute.
        """
        policy.require_somebody(by)
        await self.brake("reports", by, self.settings.signal_reports_per_minute)
        async with self.changing(interview_id, by, Action.REPORT_SIGNALS) as (work, case):
            at = self.clock.now()
            signals = [
                Signal(
                    id=new_id("sig"),
                    interview_id=case.interview.id,
                    participant_id=by.id,
                    kind=item.kind,
                    # A microsecond apart, so that what happened in order is listed in order.
                    at=at + timedelta(microseconds=place),
                    size=item.size,
                    language=item.language,
                    line=item.line,
                    column=item.column,
                    duration_ms=item.duration_ms,
                )
                for place, item in enumerate(observed)
            ]
            if signals:
                await work.stores.records.add_signals(signals)
                await work.say(case.interview.id, at, *map(_news_of, signals))

    async def read(self, interview_id: str, by: Principal, wanted: PageRequest) -> Page[Signal]:
        """Newest first."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE_SIGNALS)
            return await stores.records.signals(case.interview.id, wanted)


def _news_of(signal: Signal) -> News:
    adds: dict[str, object] = {"signal": SignalView.of(signal), "participant_id": signal.participant_id}
    return News(EventType.MONITOR_SIGNAL, adds, about=signal.participant_id, audience=Audience.INTERVIEWERS)
