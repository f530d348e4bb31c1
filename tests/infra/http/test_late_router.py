"""A module that is built and never served does not pay for its routes; one that is served has all of them."""

from litestar import Controller, Litestar, get
from litestar.di import NamedDependency, Provide

from opencode.infra.http import LateRouter
from tests.http import client_of


class GreetingController(Controller):
    path = "/greetings"

    @get("/mine")
    async def mine(self, name: NamedDependency[str]) -> str:
        return f"Hello {name}"


@get("/farewell")
async def farewell(name: NamedDependency[str]) -> str:
    return f"Bye {name}"


def router_of(name: str) -> LateRouter:
    given = {"name": Provide(lambda: name, sync_to_thread=False)}
    return LateRouter("/v1", [GreetingController, farewell], given, tags=["Greetings"])


async def test_nothing_is_registered_before_an_application_takes_it_in() -> None:
    router = router_of("Ada")
    assert router.routes == []
    async with client_of(Litestar([router])) as client:
        assert (await client.get("/v1/greetings/mine")).text == "Hello Ada"
        assert (await client.get("/v1/farewell")).text == "Bye Ada"


async def test_two_applications_of_the_same_routes_have_what_each_was_given() -> None:
    ada, grace = router_of("Ada"), router_of("Grace")
    applications = [Litestar([each]) for each in (ada, grace, ada)]
    said: list[str] = []
    for application in applications:
        async with client_of(application) as client:
            said += [(await client.get("/v1/farewell")).text, (await client.get("/v1/greetings/mine")).text]
    assert said == ["Bye Ada", "Hello Ada", "Bye Grace", "Hello Grace", "Bye Ada", "Hello Ada"]


def test_its_routes_are_described_as_those_of_any_router() -> None:
    described = Litestar([router_of("Ada")]).openapi_schema.to_schema()["paths"]
    assert {path: methods["get"]["tags"] for path, methods in described.items()} == {
        "/v1/farewell": ["Greetings"],
        "/v1/greetings/mine": ["Greetings"],
    }
