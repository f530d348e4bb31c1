"""The plug of interviews."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from litestar.di import Provide

from opencode.contracts.ai import Assistants
from opencode.contracts.collaboration import DocumentGate, Documents, PeerOnline
from opencode.contracts.execution import CodeRunner, RunsElsewhere
from opencode.contracts.identity import CredentialsRevoked, Identity
from opencode.infra.events import Reactions
from opencode.infra.http import LateRouter
from opencode.infra.plugs import Parts, Plug
from opencode.infra.websocket import SocketRoute
from opencode.modules.interviews.domain.export import Export
from opencode.modules.interviews.jobs import jobs
from opencode.modules.interviews.reactions import end_streams_of_revoked_person, note_presence
from opencode.modules.interviews.routes import ROUTES
from opencode.modules.interviews.service.admission import Admission
from opencode.modules.interviews.service.answering import KeptRuns
from opencode.modules.interviews.service.arranging import Arranging
from opencode.modules.interviews.service.assisting import Assisting
from opencode.modules.interviews.service.base import Neighbours, UseCases
from opencode.modules.interviews.service.chat import Chat
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.exporting import Exporting
from opencode.modules.interviews.service.gate import Gate
from opencode.modules.interviews.service.joining import Joining
from opencode.modules.interviews.service.languages import Languages
from opencode.modules.interviews.service.monitoring import Monitoring
from opencode.modules.interviews.service.presence import Presence
from opencode.modules.interviews.service.running import Running
from opencode.modules.interviews.service.steering import Steering
from opencode.modules.interviews.service.streaming import Streaming
from opencode.modules.interviews.service.summarising import Summarising
from opencode.modules.interviews.service.terminals import Terminals
from opencode.modules.interviews.service.tidying import Tidying
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.sockets import TerminalSockets


@dataclass(frozen=True, slots=True)
class InterviewsModule:
    """
    What wiring gets: plug, sockets, the gate that lets people into documents, the runs of interviews, and the export
    for the command line.
    """

    plug: Plug
    gate: DocumentGate
    sockets: tuple[SocketRoute, ...]
    runs: RunsElsewhere
    export_for_operator: Callable[[str], Awaitable[Export]]


def build(
    parts: Parts,
    settings: InterviewsSettings,
    *,
    identity: Identity,
    documents: Documents,
    runner: CodeRunner,
    assistants: Assistants,
) -> InterviewsModule:
    """Put the module together."""
    neighbours = Neighbours(identity, documents, runner, assistants)
    control = Control(parts.pubsub)
    languages = Languages(parts, settings, neighbours)
    arranging = Arranging(parts, settings, neighbours, languages)
    steering = Steering(parts, settings, neighbours, languages, control)
    joining = Joining(parts, settings, neighbours)
    admission = Admission(parts, settings, neighbours, steering)
    gate = Gate(parts, settings, neighbours)
    terminals = Terminals(parts, settings, neighbours, gate)
    running = Running(parts, settings, neighbours, languages, control, terminals)
    assisting = Assisting(parts, settings, neighbours, control)
    summarising = Summarising(parts, settings, neighbours, control)
    chat = Chat(parts, settings, neighbours)
    monitoring = Monitoring(parts, settings, neighbours)
    streaming = Streaming(parts, settings, neighbours)
    exporting = Exporting(parts, settings, neighbours)
    presence = Presence(parts, settings, neighbours)
    tidying = Tidying(parts, settings, neighbours)

    def react(reactions: Reactions) -> None:
        reactions.add(PeerOnline, lambda event: note_presence(event, presence))
        reactions.add(CredentialsRevoked, lambda event: end_streams_of_revoked_person(event, control))

    async def start() -> None:
        await control.listen(running, (assisting.replies, summarising.replies), streaming, terminals)
        await running.give_up_lost(starting=True)
        await assisting.give_up_lost(starting=True)
        await summarising.give_up_lost(starting=True)
        await tidying.tidy()

    async def drain() -> None:
        # While streams are open still, so that everybody in the room is told.
        await assisting.close()
        await summarising.close()
        streaming.close()

    async def stop() -> None:
        await assisting.close()
        await summarising.close()
        await running.close()
        await control.close()

    use_cases: dict[str, UseCases] = {
        "languages": languages,
        "arranging": arranging,
        "steering": steering,
        "joining": joining,
        "admission": admission,
        "running": running,
        "assisting": assisting,
        "summarising": summarising,
        "terminals": terminals,
        "chat": chat,
        "monitoring": monitoring,
        "streaming": streaming,
        "exporting": exporting,
    }
    plug = Plug(
        name="interviews",
        routes=[LateRouter("/", ROUTES, {name: _provide(use_case) for name, use_case in use_cases.items()})],
        react=react,
        jobs=jobs(steering, running, assisting, summarising, tidying, check_s=settings.interviews_check_s),
        start=start,
        drain=drain,
        stop=stop,
    )
    sockets = (TerminalSockets(terminals).route,)
    return InterviewsModule(plug, gate, sockets, KeptRuns(running), exporting.export_for_operator)


def _provide(use_case: UseCases) -> Provide:
    return Provide(lambda: use_case, sync_to_thread=False)
