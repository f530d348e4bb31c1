"""What a project says of itself in Markdown, as people see it."""

import asyncio
import threading

import pytest

from opencode.infra.plugs import Parts
from opencode.infra.settings import SettingsError
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.domain.repositories import Repository
from opencode.modules.marketplace.service.base import Shared
from opencode.modules.marketplace.service.readmes import QUICK_CHARACTERS, Readmes
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.doubles.identity import IdentityInMemory
from tests.modules.marketplace.conftest import PROJECTS, Market

MARKDOWN = "/api/v1/markdown"
REPOSITORY = "https://gitlab.example.org/ada/engine"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_a_project_is_read_as_html_whose_links_lead_into_its_repository(market: Market) -> None:
    text = "# Engine\n\n[Guide](docs/guide.md)\n\n![Wheel](wheel.png)\n\n<script>alert(1)</script>"
    made = await market.member().create(description=text, repository_url=REPOSITORY)
    shown = (await market.nobody().get(f"{PROJECTS}/{made['slug']}")).json()
    assert shown["description"] == text
    assert f'href="{REPOSITORY}/-/blob/HEAD/docs/guide.md"' in shown["description_html"]
    assert f'<a class="image-link" href="{REPOSITORY}/-/raw/HEAD/wheel.png"' in shown["description_html"]
    assert "<script" not in shown["description_html"]
    assert made["description_html"] == shown["description_html"]


async def test_a_changed_description_is_read_changed_at_once(market: Market) -> None:
    ada = market.member()
    made = await ada.create(description="*one*")
    changed = (await ada.patch(f"{PROJECTS}/{made['slug']}", {"description": "*two*"})).json()
    assert "<em>two</em>" in changed["description_html"]
    assert "<em>two</em>" in (await ada.get(f"{PROJECTS}/{made['slug']}")).json()["description_html"]


async def test_whoever_writes_sees_beforehand_what_it_will_look_like(market: Market) -> None:
    long = "word " * QUICK_CHARACTERS
    for text, piece in (("**bold** [a](b.md)", f'{REPOSITORY}/-/blob/HEAD/b.md"'), (long, "word word"), ("", "")):
        answer = await market.member().post(MARKDOWN, {"text": text, "repository_url": REPOSITORY})
        assert answer.status_code == 200
        assert piece in answer.json()["html"]


async def test_a_preview_needs_an_account_and_a_text_of_bearable_size(market: Market) -> None:
    assert (await market.nobody().post(MARKDOWN, {"text": "a"})).status_code == 401
    assert (await market.member().post(MARKDOWN, {"text": "a" * 200_001})).status_code == 413
    assert (await market.member().post(MARKDOWN, {"text": 1})).status_code == 400
    assert (await market.member().post(MARKDOWN, {"text": "a", "html": "b"})).status_code == 400
    odd = {"text": "[a](b)", "repository_url": "javascript:alert(1)//" + "x" * 5_000}
    assert "javascript" not in (await market.member().post(MARKDOWN, odd)).json()["html"]


class TestPicturesOfAHostThatTheOperatorAllows:
    @pytest.fixture
    def settings(self) -> MarketplaceSettings:
        return MarketplaceSettings(marketplace_image_hosts=("GitLab.example.org",))

    async def test_are_shown_and_those_of_others_are_links(self, market: Market) -> None:
        text = "![Wheel](wheel.png) ![Plot](https://other.example.org/plot.png)"
        made = await market.member().create(description=text, repository_url=REPOSITORY)
        assert f'src="{REPOSITORY}/-/raw/HEAD/wheel.png"' in made["description_html"]
        assert '<a class="image-link" href="https://other.example.org/plot.png"' in made["description_html"]


@pytest.mark.parametrize(
    "entry", ["", "*", "*.example.org", "https://a.example", "a.example/b", "a b", "a;script-src", "'self'", "a" * 300]
)
def test_a_host_of_pictures_that_is_none_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(SettingsError, match="OCP_MARKETPLACE_IMAGE_HOSTS"):
        MarketplaceSettings(marketplace_image_hosts=(entry,))


class TestPreviewsThatComeTooFast:
    @pytest.fixture
    def settings(self) -> MarketplaceSettings:
        return MarketplaceSettings(previews_per_minute=2)

    async def test_are_told_when_to_come_again(self, market: Market) -> None:
        ada = market.member()
        answers = [await ada.post(MARKDOWN, {"text": "a"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


class Renderer:
    """Says what it rendered, and in which thread."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.go = threading.Event()

    def __call__(self, markdown: str, repository: Repository | None) -> str:
        self.calls.append(markdown)
        self.threads.add(threading.get_ident())
        if len(markdown) > QUICK_CHARACTERS:
            self.go.wait(10)
        return f"{repository.url if repository else ''}<p>{markdown}"


def readmes(parts: Parts, renderer: Renderer, *, remembered: int = 10_000) -> Readmes:
    nothing = IdentityInMemory(ManualClock())
    catalogue = None
    shared = Shared(parts, MarketplaceSettings(), nothing, catalogue)  # pyright: ignore[reportArgumentType]
    return Readmes(shared, renderer, remembered=remembered)


async def test_a_text_is_rendered_once_for_all_who_ask_for_it(parts: Parts) -> None:
    renderer = Renderer()
    pages = readmes(parts, renderer)
    long = "a" * (QUICK_CHARACTERS + 1)
    asking = [asyncio.create_task(pages.html_of(long)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who goes away takes nobody's answer along
    renderer.go.set()
    answers = await asyncio.gather(*asking[1:])
    assert answers == [f"<p>{long}"] * 4
    assert await pages.html_of(long) == f"<p>{long}"
    assert renderer.calls == [long]
    assert threading.get_ident() not in renderer.threads


async def test_the_same_text_of_another_repository_is_another_page(parts: Parts) -> None:
    pages = readmes(parts, Renderer())
    assert await pages.html_of("a") == "<p>a"
    assert await pages.html_of("a", REPOSITORY) == f"{REPOSITORY}<p>a"


async def test_what_is_remembered_has_a_bound_and_the_oldest_goes_first(parts: Parts) -> None:
    renderer = Renderer()
    pages = readmes(parts, renderer, remembered=30)
    for text in ("a" * 10, "b" * 10, "a" * 10, "c" * 10, "a" * 10, "d" * 100, "a" * 10):
        await pages.html_of(text)
    assert [call[0] for call in renderer.calls] == ["a", "b", "c", "d", "a"]
