"""Who has the document open."""

from dataclasses import replace
from datetime import datetime

from opencode.kernel.ids import is_id
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.service.base import UseCases, news_about


class Presence(UseCases):
    async def note(self, interview_id: str, participant_id: str, *, online: bool, at: datetime) -> None:
        """
        Note that somebody came or went. News that comes twice, or after newer news, changes nothing.

        Args:
            at: when it happened.
        """
        if not is_id(interview_id, "int"):
            return
        async with self.unit_of_work() as work:
            interview = await work.stores.interviews.find(interview_id, to_change=True)
            before = await work.stores.people.find(interview.id, participant_id) if interview else None
            if interview is None or before is None or (before.online_at is not None and at <= before.online_at):
                return
            # Whoever was sent away, or saw the interview end, is shown as gone already; their socket says so later.
            shown = online and before.is_present and not interview.is_over
            after = replace(before, online=shown, online_at=at)
            await work.stores.people.save(after)
            if after.online != before.online and not interview.is_over:
                what = EventType.PARTICIPANT_ONLINE if after.online else EventType.PARTICIPANT_OFFLINE
                await work.say(interview.id, self.clock.now(), news_about(what, after))
