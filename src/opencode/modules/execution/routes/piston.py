"""Running programs: `runtimes`, `execute`, and the name of the API."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from opencode.contracts.execution import CodeRunner
from opencode.kernel.ids import new_id
from opencode.modules.execution.policy import Door
from opencode.modules.execution.routes.dialect import Answer, Call, Handler
from opencode.modules.execution.schemas.catalogue import CurrentCatalogue
from opencode.modules.execution.schemas.requests import Allowance, read_job
from opencode.modules.execution.schemas.results import Transcript

VERSION = "3.1.1"
"""Of Piston's API that is spoken here; clients look at it to find out whether somebody is there."""
EXTENSIONS = (b"ocp-piston", b"eof, resize, stdin_base64, terminal")
"""A header beside the runtimes: what else is understood here, so that clients need not guess."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PistonRoutes:
    """What people do with programs."""

    runner: CodeRunner
    catalogue: CurrentCatalogue
    allowance: Allowance
    door: Door

    @property
    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/"): self.greet,
            ("GET", "/runtimes"): self.list_runtimes,
            ("POST", "/execute"): self.execute,
        }

    async def greet(self, _call: Call) -> Answer:
        return Answer.message(200, f"Piston v{VERSION}")

    async def list_runtimes(self, call: Call) -> Answer:
        await self.door.admit_reader(call.visitor())
        return Answer((await self.catalogue()).listing, headers=(EXTENSIONS,))

    async def execute(self, call: Call) -> Answer:
        """Run a program to its end. A client that hangs up ends the run."""
        owner = await self.door.admit_run(call.visitor())
        job = read_job(await call.json(), await self.catalogue(), self.allowance)
        run_id = new_id("run")
        transcript = Transcript()
        with call.hanging_up(lambda: self.runner.stop(run_id)):
            async with aclosing(self.runner.run(job.once(run_id, owner))) as events:
                async for event in events:
                    transcript.take(event)
        return Answer(_encoder.encode(transcript.answer(job.runtime.language.id, job.runtime.version)))
