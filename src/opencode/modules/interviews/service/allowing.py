"""Whether an interview may have the assistant that its interviewer wants."""

from dataclasses import replace

from opencode.contracts.ai import Assistants
from opencode.kernel.ids import UserId
from opencode.modules.interviews.domain.assistant import AssistantMode, AssistantTerms
from opencode.modules.interviews.errors import AssistantModelNotKnown, AssistantNotHere


async def checked_terms(assistants: Assistants, interviewer_id: str, wanted: AssistantTerms) -> AssistantTerms:
    """
    The terms as they are kept: with the interviewer's first model where none is named. Forbidding is always possible.

    Raises:
        AssistantNotHere: this interviewer can use no model.
        AssistantModelNotKnown: not this one.
    """
    if wanted.mode is AssistantMode.FORBIDDEN:
        return replace(wanted, model="")
    available = await assistants.available(UserId(interviewer_id))
    if not available:
        raise AssistantNotHere
    if wanted.model and wanted.model not in available:
        raise AssistantModelNotKnown(wanted.model, available)
    return replace(wanted, model=wanted.model or available[0])
