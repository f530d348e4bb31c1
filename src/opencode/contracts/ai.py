"""What `ai` offers to other modules: answers of language models, charged to the person on whose behalf they ask."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from opencode.kernel.ids import UserId


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: a question, or what was answered to it."""

    speaker: Literal["person", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """
    The end of an answer that is whole.

    Attributes:
        model: who answered, `<provider>/<model>`; another one than was asked where that one could not.
        input_tokens, output_tokens: None where the provider did not tell.
        cost_nano: billionths of a US dollar; None where the tokens are not known.
        cut: the model stopped because the answer had as many tokens as it may.
    """

    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost_nano: int | None
    cut: bool


class Assistants(Protocol):
    """Answers on behalf of somebody, within what this person may use and spend."""

    async def available(self, user_id: UserId) -> list[str]:
        """The models and aliases that somebody may use, the default one first. Empty where there are none."""
        ...

    def answer(
        self,
        *,
        on_behalf_of: UserId,
        model: str,
        system: str,
        turns: Sequence[Turn],
        most_output_tokens: int,
        form: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[str | Answered]:
        """
        Ask a model. What it says comes in pieces, and `Answered` at last. Closing the generator before its end breaks
        the provider off; what it said until then is charged.

        Args:
            on_behalf_of: the account whose limits hold, and which is charged.
            turns: the conversation so far; the last one is the question.
            form: the JSON Schema that the answer is to follow; None for free text. A model may break it: whoever asks
                checks what comes.

        Raises:
            OpenCodeError: there is no such model for this person, a limit or budget of theirs is reached, or the
                provider failed, also in the middle of an answer; what was said before has come then.
        """
        ...
