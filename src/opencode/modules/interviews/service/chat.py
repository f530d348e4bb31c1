"""The chat."""

from opencode.kernel.ids import MessageId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.records import EventType, Message
from opencode.modules.interviews.domain.views import MessageView
from opencode.modules.interviews.domain.words import clean_message
from opencode.modules.interviews.policy import Action
from opencode.modules.interviews.service.base import UseCases
from opencode.modules.interviews.store import News


class Chat(UseCases):
    async def write(self, interview_id: str, by: Principal, text: str) -> Message:
        """
        Raises:
            TextRefused: empty, or longer than 4000 characters.
            TooFast: too many messages within a minute.
        """
        text = clean_message(text, "/text")
        policy.require_somebody(by)
        await self.brake("messages", by, self.settings.chat_messages_per_minute)
        async with self.changing(interview_id, by, Action.CHAT) as (work, case):
            message = Message(
                id=MessageId(new_id("msg")),
                interview_id=case.interview.id,
                author_id=by.id,
                author_name=case.me.name if case.me else by.name,
                author_role=policy.part_of(case.standing),
                text=text,
                at=self.clock.now(),
            )
            await work.stores.records.add_message(message)
            news = News(EventType.CHAT_MESSAGE, {"message": MessageView.of(message)}, about=message.id)
            await work.say(message.interview_id, message.at, news)
        return message

    async def read(self, interview_id: str, by: Principal, wanted: PageRequest) -> Page[Message]:
        """Oldest first."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE)
            return await stores.records.messages(case.interview.id, wanted)
