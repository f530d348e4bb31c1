"""
What can go wrong with AI: its configuration, providers, models and limits.

    NotFound        ConfigurationNotFound · ModelUnknown · ProviderNotFound · NoSuchCall · KeyNotFound · NobodyToLimit
    Invalid         ConfigurationFaulty · ProviderRefused · EntryPointFaulty · KeyNotGivenAgain · DaysNotUnderstood
    Conflict        ProviderNameTaken · ProviderOfFile · TooManyProviders · NotOllama · TooManyBudgets ·
                    LimitOfFile · LimitsNotInForce · TooManyLimits
    Outdated        ProviderOutdated · LimitsOutdated
    Busy            TestsTooFast · LimitReached · BudgetSpent
    TooLarge        CallTooLarge · BodyTooLarge
    Unavailable     ProviderUnreachable · LimitsUnknown · LedgerBehind · AnswerFailed ·
                    TelemetryNotInstalled
"""

import math
from collections.abc import Sequence
from pathlib import Path

from opencode.kernel.errors import Busy, Conflict, FieldProblem, Invalid, NotFound, Outdated, TooLarge, Unavailable

_LONGEST_TOLD = 200


class ConfigurationNotFound(NotFound):
    """A file of the AI configuration cannot be read."""

    title = "The AI configuration cannot be read"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}.", action="Name a file that is there: --config FILE, or OCP_AI_CONFIG.")


class ConfigurationFaulty(Invalid):
    """The AI configuration has mistakes."""

    title = "The AI configuration has mistakes"

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes), action="Correct them; `ocp ai check` looks again.")


class ModelUnknown(NotFound):
    """No provider that is switched on has a model of this name, and no alias is called so."""

    title = "The model is not known"

    def __init__(self, name: str, nearest: Sequence[str], *, switched_off: bool = False) -> None:
        listed = "Those that are there are on the page Models of AI, and in GET /api/v1/ai/models."
        known = f"Did you mean {' or '.join(nearest)}?" if nearest else listed
        name = name if len(name) <= _LONGEST_TOLD else f"{name[:_LONGEST_TOLD]}…"
        if switched_off:
            super().__init__(f"The provider of the model {name!r} is switched off.", action="Take another model.")
        elif not name:
            super().__init__("No model was named, and the configuration has no default_model.", action=known)
        else:
            super().__init__(f"There is no model {name!r}.", action=known)
        self.name = name
        self.nearest = tuple(nearest)


class ProviderNotFound(NotFound):
    """No provider has this name."""

    title = "The provider was not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no provider {name!r}.", action="GET /api/v1/ai/providers lists them.")


class ProviderRefused(Invalid):
    """With this provider, the configuration would have mistakes."""

    title = "The provider is not good"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = " ".join(problem.detail for problem in problems)
        super().__init__(listed, action="Correct what errors lists.", problems=problems)


class EntryPointFaulty(Invalid):
    """The Python object that answers for a provider cannot be had, or does not answer."""

    title = "The entry point is not good"

    def __init__(self, entry_point: str, reason: str) -> None:
        super().__init__(
            f"The entry point {entry_point} {reason}.",
            action="Name an installed object that has `async def chat(request)`, which yields events, or "
            "`async def embed(request)`.",
        )


class KeyNotGivenAgain(Invalid):
    """A kept key would go to another address than the one that it was given for."""

    title = "The key is needed again"

    def __init__(self) -> None:
        detail = "is needed again, since the provider's address or headers change: a kept key goes only where it went"
        problem = FieldProblem("/api_key", detail)
        super().__init__(f"The key {detail}.", action="Give api_key, or an empty one.", problems=(problem,))


class ProviderNameTaken(Conflict):
    """There is a provider of this name already."""

    title = "The name is taken"

    def __init__(self, name: str, where: str) -> None:
        super().__init__(
            f"There is a provider {name!r} already: {where}.", action="Take another name, or change that provider."
        )


class ProviderOfFile(Conflict):
    """The provider is named in a file, which only the operator changes."""

    title = "The provider is named in a file"

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"The provider {name!r} is named at {where}.", action="Change it there; it is read at once.")


class TooManyProviders(Conflict):
    """As many providers as may be are stored."""

    title = "Too many providers"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"There are {most} stored providers, which is as many as may be.",
            action="Delete one, or ask the operator for a higher OCP_AI_STORED_PROVIDERS.",
        )


class NotOllama(Conflict):
    """Models are pulled and deleted at providers that speak Ollama's dialect only."""

    title = "The provider is not an Ollama server"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The provider {name!r} is no Ollama server that is switched on.", action="Name a provider that is one."
        )


class ProviderOutdated(Outdated):
    """Somebody else changed the provider in the meantime."""

    title = "The provider was changed in the meantime"

    def __init__(self, name: str, revision: int) -> None:
        super().__init__(
            f"The provider {name!r} is at revision {revision} now.", action="Read it again, then change it."
        )


class TestsTooFast(Busy):
    """This person had too many connections tested within this minute already."""

    title = "Too many tests"

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "You had many connections tested within this minute.", action="Wait a moment.", retry_after_s=wait_s
        )


class ProviderUnreachable(Unavailable):
    """The provider does not do what was asked of it."""

    title = "The provider does not answer"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The provider {name!r}: {reason}", action="See that it runs; GET /api/v1/ai/providers tells how it is."
        )


class LimitReached(Busy):
    """A limit of requests or tokens by the minute, or of calls at once, is reached."""

    title = "The limit is reached"

    def __init__(self, whose: str, most: int, measure: str, retry_after_s: int) -> None:
        super().__init__(
            f"The {whose} may have {most} {measure}, and has them now.",
            action=f"Try again in {retry_after_s} s.",
            retry_after_s=retry_after_s,
        )


class BudgetSpent(Busy):
    """Too little of a budget is left for this call."""

    title = "The budget is spent"

    def __init__(self, whose: str, amount: str, period: str, retry_after_s: int) -> None:
        super().__init__(
            f"Of the {whose}'s budget of {amount} for the {period}, too little is left.",
            action="Make a smaller request, wait until it begins anew, or ask an administrator for more.",
            retry_after_s=retry_after_s,
        )


class CallTooLarge(TooLarge):
    """The call alone would take more than a limit allows, however long one waits."""

    title = "The call is larger than a limit"

    def __init__(self, whose: str, needed: str, allowed: str) -> None:
        super().__init__(
            f"This call may take {needed}; the {whose} may take {allowed}.",
            action="Shorten the request or lower its limit of output tokens; waiting does not help.",
        )


class TooManyBudgets(Conflict):
    """Somebody is in so many teams with budgets that a call cannot be charged to all of them."""

    title = "Too many budgets"

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"This call is to be charged to {count} budgets; {most} are possible.",
            action="Ask an administrator to take you out of some teams that have a budget.",
        )


class LimitsUnknown(Unavailable):
    """Calls are counted in Redis, and that does not answer."""

    title = "Limits cannot be checked"

    def __init__(self) -> None:
        super().__init__("The server that counts calls does not answer.", action="Try again in a moment.")


class LedgerBehind(Unavailable):
    """So many calls are under way or not yet in the ledger that no more are taken."""

    title = "Too many calls are under way"

    def __init__(self) -> None:
        super().__init__(
            "The usage ledger cannot keep up with the calls.", action="Try again in a moment.", retry_after_s=1
        )


class AnswerFailed(Unavailable):
    """The provider of a model failed before its answer was whole. The detail is what it said of it."""

    title = "The model did not answer"

    def __init__(self, message: str, retry_after_s: float | None) -> None:
        wait_s = None if retry_after_s is None else math.ceil(retry_after_s)
        super().__init__(message, action="Ask again, or take another model.", retry_after_s=wait_s)


class NoSuchCall(NotFound):
    """The AI gateway has no such call."""

    title = "There is no such call"

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            f"The AI gateway does not answer {method[:20]} {path[:200]}.",
            action="Base URLs are /ai/v1 for OpenAI's clients, /ai/anthropic for Anthropic's, /ai/ollama for Ollama's.",
        )


class BodyTooLarge(TooLarge):
    """A request to a model is larger than this server takes."""

    title = "The request is too large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A request to a model may have {most} bytes.",
            action="Send less, or smaller pictures; the operator sets OCP_AI_BODY_BYTES.",
        )


class KeyNotFound(NotFound):
    """There is no such token, or it is somebody else's."""

    title = "The key was not found"

    def __init__(self, token_id: str) -> None:
        super().__init__(
            f"You have no token {token_id[:40]} that works.", action="GET /api/v1/tokens lists yours; make one there."
        )


class NobodyToLimit(NotFound):
    """Limits are set for nobody that there is."""

    title = "There is nobody to limit"

    def __init__(self, words: str) -> None:
        super().__init__(
            f"There is no account and no team {words[:_LONGEST_TOLD]!r}.",
            action="Name everybody, person:<id or e-mail address of an account> or team:<name in the configuration>.",
        )


class LimitOfFile(Conflict):
    """The limit is set in a file, which only the operator changes."""

    title = "The limit is set in a file"

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"{name} is set at {where}.", action="Change it there; it is read at once. Leave it out here.")


class LimitsOutdated(Outdated):
    """Somebody else changed the limits in the meantime."""

    title = "The limits were changed in the meantime"

    def __init__(self, words: str) -> None:
        super().__init__(f"The limits of {words} are not what you read.", action="Read them again, then change them.")


class LimitsNotInForce(Conflict):
    """The configuration has mistakes, so that no change of it comes into force."""

    title = "No limit would come into force"

    def __init__(self) -> None:
        super().__init__(
            "The AI configuration has mistakes, and the one before stays in force until they are corrected.",
            action="Correct them (GET /api/v1/ai/configuration tells each with its place), then set the limits.",
        )


class TooManyLimits(Conflict):
    """Limits are set for as many persons and teams as may be."""

    title = "Too many limits"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Limits are set for {most} persons and teams, which is as many as may be.",
            action="Set them for everybody or for a team, or ask the operator for a higher OCP_AI_STORED_LIMITS.",
        )


class DaysNotUnderstood(Invalid):
    """A report is asked for of no days, or of too many."""

    title = "The days are not good"

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__(
            f"{problem.pointer[1:]} {problem.detail}.", action="Ask for fewer days at once.", problems=(problem,)
        )


class TelemetryNotInstalled(Unavailable):
    """The packages that speak to an OpenTelemetry collector are missing."""

    title = "Telemetry is not installed"

    def __init__(self) -> None:
        super().__init__(
            "A collector is named, and the packages that speak to one are not installed.",
            action="Install opencode-platform[telemetry], or unset OCP_AI_TELEMETRY_URL.",
        )
