"""One server and one browser for all, a stage of people for each test."""

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from tests.e2e.house import EMAIL, INTERVIEWER, MANY_PEOPLE, House, Office
from tests.e2e.person import Person

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 20_000
DESK: ViewportSize = {"width": 1440, "height": 900}

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser, and shares it: one loop for all."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The server of the whole run. A test that kills it starts it again."""
    house = House(tmp_path_factory.mktemp("house") / "data", MANY_PEOPLE)
    house.start()
    yield house
    house.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(house: House) -> AsyncIterator[Office]:
    """The interviewer of most tests, who is the administrator too."""
    office = await Office.opened(house.url, EMAIL, INTERVIEWER)
    yield office
    await office.client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def new_office(house: House, office: Office) -> AsyncIterator[Office]:
    """An interviewer who has just registered and has no interviews yet."""
    fresh = await Office.opened(house.url, f"fresh{next(_numbers)}@example.org", "Katherine Johnson")
    yield fresh
    await fresh.client.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        await browser.close()


@dataclass(slots=True)
class Stage:
    """The people of one test, each in a browser context of their own."""

    browser: Browser
    url: str
    office: Office
    people: list[Person] = field(default_factory=list[Person])

    async def somebody(self, **context: Any) -> Person:
        """Somebody whom the server does not know."""
        given: dict[str, Any] = {"viewport": DESK, **context}
        made = await self.browser.new_context(**given)
        made.set_default_timeout(PATIENCE_MS)
        person = await Person.at(made, self.url)
        self.people.append(person)
        return person

    async def interviewer(self, office: Office | None = None, **context: Any) -> Person:
        """Somebody who is signed in."""
        person = await self.somebody(**context)
        cookie = (office or self.office).session
        await person.context.add_cookies([{"name": "ocp_session", "value": cookie, "url": self.url}])
        return person

    async def candidate(self, interview: dict[str, Any], name: str = "Ada Lovelace", **context: Any) -> Person:
        """Somebody who was let in and is in the room."""
        person = await self.somebody(**context)
        await person.sits_down(await self.office.candidate(interview, name, admitted=True))
        await person.enters(interview)
        return person

    async def room(self, interview: dict[str, Any], **context: Any) -> tuple[Person, Person]:
        """The interviewer and a candidate, both in the room."""
        interviewer = await self.interviewer(**context)
        await interviewer.enters(interview)
        return interviewer, await self.candidate(interview, **context)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(browser: Browser, house: House, office: Office) -> AsyncIterator[Stage]:
    """
    An empty stage.

    When the test is over nobody may have had an error in the console, or a request to another server.
    """
    stage = Stage(browser, house.url, office)
    yield stage
    for person in stage.people:
        await person.context.close()
    for person in stage.people:
        person.saw_no_trouble()


@pytest_asyncio.fixture(loop_scope="session")
async def interview(office: Office) -> dict[str, Any]:
    """A live Python interview that nobody has joined yet."""
    return await office.interview()
