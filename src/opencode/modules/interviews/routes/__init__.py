"""HTTP in: read, call, answer. All paths are under `/api/v1`."""

from litestar.types import ControllerRouterHandler

from opencode.modules.interviews.routes.assistant import AssistantController
from opencode.modules.interviews.routes.interviews import InterviewsController, list_languages
from opencode.modules.interviews.routes.people import PeopleController, join_interview
from opencode.modules.interviews.routes.records import RecordsController
from opencode.modules.interviews.routes.runs import RunsController, create_terminal_ticket
from opencode.modules.interviews.routes.summary import SummaryController

ROUTES: tuple[ControllerRouterHandler, ...] = (
    InterviewsController,
    PeopleController,
    RecordsController,
    RunsController,
    AssistantController,
    SummaryController,
    join_interview,
    list_languages,
    create_terminal_ticket,
)
