"""Releases with files, as their owner makes them and as people get them."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from opencode.infra.db import outbox
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.domain.releases import MAX_FILES
from opencode.modules.marketplace.service import files as files_service
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import PROJECTS, REPOSITORY, Json, Market, Person

PATH = f"{PROJECTS}/ada.analytical-engine"
CONTENT = bytes(range(256)) * 20
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def released(person: Person, version: str = "1.0.0", path: str = PATH, **fields: Any) -> Json:
    made = await person.post(f"{path}/releases", {"version": version, **fields})
    assert made.status_code == 201, made.text
    return made.json()


async def upload(
    person: Person, name: str = "engine.tar.gz", content: Any = CONTENT, version: str = "1.0.0", **headers: str
) -> httpx.Response:
    path = f"{PATH}/releases/{version}/files/{name}"
    return await person.call("PUT", path, content=content, headers=headers)


async def versions(person: Person, **query: Any) -> list[str]:
    return [item["version"] for item in (await person.get(f"{PATH}/releases", **query)).json()["items"]]


async def said(market: Market) -> list[str]:
    async with market.parts.database.read() as connection:
        return list((await connection.execute(outbox.select().with_only_columns(outbox.c.tag))).scalars())


async def test_a_release_is_read_with_its_notes_and_its_files(market: Market) -> None:
    ada = market.member()
    await ada.create(repository_url="https://gitlab.example.org/ada/engine")
    made = await released(ada, "v1.0.0", notes="# New\n\n[Guide](guide.md)<script>")
    assert (made["version"], made["prerelease"], made["yanked"], made["files"]) == ("1.0.0", False, False, [])
    assert "ada/engine/-/blob/HEAD/guide.md" in made["notes_html"]
    assert "<script" not in made["notes_html"]
    assert (await upload(ada)).status_code == 201
    shown = (await market.nobody().get(f"{PATH}/releases/1.0")).json()
    assert shown["notes"] == "# New\n\n[Guide](guide.md)<script>"
    (file,) = shown["files"]
    assert (file["name"], file["size_bytes"], file["sha256"]) == ("engine.tar.gz", len(CONTENT), SHA256)
    assert (await market.nobody().get(file["url"])).content == CONTENT


async def test_releases_are_listed_from_the_newest_version_on_in_pages(market: Market) -> None:
    ada = market.member()
    await ada.create()
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1", "1.10.0.post1", "2.0.0a1", "0.1"):
        await released(ada, version)
    in_order = ["2.0.0-rc.1", "2.0.0a1", "1.10.0.post1", "1.10.0", "1.9.0", "0.1"]
    assert await versions(ada) == in_order
    seen: list[str] = []
    cursor = None
    while True:
        page = (await ada.get(f"{PATH}/releases", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        seen += [item["version"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == in_order
    assert (await ada.get(f"{PATH}/releases", cursor="WzFd")).status_code == 400


async def test_a_project_and_its_card_name_the_newest_version_that_is_good(market: Market) -> None:
    ada = market.member()
    before = await ada.create()
    assert before["latest_version"] is None

    async def latest() -> str | None:
        project = (await ada.get(PATH)).json()
        (card,) = (await market.nobody().search(q="analytical"))["items"]
        assert card["latest_version"] == project["latest_version"]
        assert project["revision"] == before["revision"]  # whoever edits the project is not disturbed
        return project["latest_version"]

    await released(ada, "1.0rc1")
    assert await latest() == "1.0rc1"
    await released(ada, "1.0")
    await released(ada, "2.0b1")
    await released(ada, "0.9")
    assert await latest() == "1.0"
    await ada.patch(f"{PATH}/releases/1.0", {"yanked": True})
    assert await latest() == "0.9"
    await ada.patch(f"{PATH}/releases/2.0b1", {"prerelease": False})
    assert await latest() == "2.0b1"
    assert (await ada.delete(f"{PATH}/releases/2.0b1")).status_code == 204
    assert await latest() == "0.9"


async def test_a_release_is_told_of_once_and_only_of_what_people_may_see(market: Market) -> None:
    ada = market.member()
    await ada.create(status="draft")
    await released(ada, "0.1")
    assert "marketplace.release_published.v1" not in await said(market)
    await ada.patch(PATH, {"status": "published"})
    await released(ada, "0.2")
    assert (await said(market)).count("marketplace.release_published.v1") == 1


async def test_who_follows_a_project_hears_of_its_release(market: Market) -> None:
    ada, grace = market.member(), market.member("Grace")
    await ada.create()
    assert (await grace.put(f"{PATH}/follow")).status_code == 200
    await released(ada, "1.2.0")
    await market.deliver()
    async with market.parts.database.read() as connection:
        rows = await connection.execute(outbox.select().where(outbox.c.tag == "notifications.notice_given.v1"))
        (told,) = [msgspec.json.decode(row.payload) for row in rows if "project.released" in row.payload]
    assert told["recipient_ids"] == [grace.id]
    assert told["title"] == "Analytical Engine 1.2.0 is released"


async def test_the_same_request_with_the_same_key_releases_once(market: Market) -> None:
    ada = market.member()
    await ada.create()
    body = {"version": "1.0", "notes": "a"}
    answers = await asyncio.gather(
        *(ada.post(f"{PATH}/releases", body, headers={"Idempotency-Key": "k"}) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await ada.post(f"{PATH}/releases", {"version": "1.1"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 409


@pytest.mark.parametrize("version", ["", "one", "1..0", "../1", "1/2", "1 0", "1" * 65, "1.0+", 1, None])
async def test_what_is_no_version_is_refused_by_name(market: Market, version: Any) -> None:
    ada = market.member()
    await ada.create()
    refused = await ada.post(f"{PATH}/releases", {"version": version, "notes": "a" * 100_001})
    assert refused.status_code == 400
    assert {problem["pointer"] for problem in refused.json()["errors"]} == {"/version", "/notes"}


async def test_a_version_is_released_once_however_it_is_written(market: Market) -> None:
    ada = market.member()
    await ada.create()
    await released(ada, "1.0")
    for again in ("1.0", "v1.0.0", "1"):
        taken = await ada.post(f"{PATH}/releases", {"version": again})
        assert taken.status_code == 409
        assert taken.json()["title"] == "The version is taken"


async def test_only_the_owner_releases_and_a_draft_shows_nothing_to_others(market: Market) -> None:
    ada, grace, nobody = market.member(), market.member("Grace"), market.nobody()
    await ada.create(status="draft")
    await released(ada)
    assert (await upload(ada)).status_code == 201
    for person in (grace, nobody):
        for path in ("", "/1.0.0", "/1.0.0/files/engine.tar.gz"):
            assert (await person.get(f"{PATH}/releases{path}")).status_code == 404
    await ada.patch(PATH, {"status": "published"})
    for person, expected in ((grace, 403), (nobody, 401), (market.administrator(), 403)):
        assert (await person.post(f"{PATH}/releases", {"version": "2.0"})).status_code == expected
        assert (await person.patch(f"{PATH}/releases/1.0.0", {"yanked": True})).status_code == expected
        assert (await person.delete(f"{PATH}/releases/1.0.0")).status_code == expected
        assert (await upload(person, "evil.sh")).status_code == expected
        assert (await person.delete(f"{PATH}/releases/1.0.0/files/engine.tar.gz")).status_code == expected
        assert (await person.get(f"{PATH}/releases/1.0.0/files/engine.tar.gz")).status_code == 200


async def test_what_somebody_has_downloaded_can_be_taken_back_but_not_deleted(market: Market) -> None:
    ada = market.member()
    await ada.create()
    await released(ada)
    await upload(ada)
    file = f"{PATH}/releases/1.0.0/files/engine.tar.gz"
    assert (await market.nobody().call("HEAD", file)).status_code == 200  # a look is no download
    assert (await market.nobody().get(file)).status_code == 200
    kept = await ada.delete(f"{PATH}/releases/1.0.0")
    assert kept.status_code == 409
    assert "yanked" in kept.json()["action"]
    assert (await ada.patch(f"{PATH}/releases/1.0.0", {"yanked": True})).json()["yanked"]
    assert (await market.nobody().get(file)).content == CONTENT
    assert (await market.nobody().post(f"{PATH}/downloads")).json()["url"] == REPOSITORY


async def test_a_file_that_nobody_has_downloaded_can_be_deleted_and_its_name_stays_its_own(market: Market) -> None:
    ada = market.member()
    await ada.create()
    await released(ada)
    await upload(ada, "a.zip", b"first")
    await upload(ada, "b.zip", b"other")
    file = f"{PATH}/releases/1.0.0/files/a.zip"
    assert (await ada.delete(file)).status_code == 204
    assert (await ada.delete(file)).status_code == 404
    assert (await market.nobody().get(file)).status_code == 404
    # With a checksum it is refused before it is read.
    checksum = hashlib.sha256(b"second").hexdigest()
    for headers in ({}, {"X-Checksum-Sha256": checksum}):
        spent = await upload(ada, "a.zip", b"second", **headers)
        assert (spent.status_code, spent.json()["title"]) == (409, "The name was used before")
    assert (await upload(ada, "a.zip", b"first")).status_code == 201
    # The version may be released anew; the names of its files stay theirs, however it is written.
    assert (await ada.delete(f"{PATH}/releases/1.0.0")).status_code == 204
    await released(ada, "1.0")
    assert [(await upload(ada, name, b"second")).status_code for name in ("a.zip", "b.zip")] == [409, 409]
    assert [(await upload(ada, "a.zip", b"first")).status_code, (await ada.delete(file)).status_code] == [201, 204]
    await released(ada, "2.0.0")
    assert (await upload(ada, "a.zip", b"second", version="2.0.0")).status_code == 201


async def test_a_file_that_somebody_has_downloaded_stays_with_its_release(market: Market) -> None:
    ada = market.member()
    await ada.create()
    assert not (await released(ada))["downloaded"]
    await upload(ada, "a.zip", b"first")
    await upload(ada, "b.zip", b"other")
    assert (await market.nobody().get(f"{PATH}/releases/1.0.0/files/a.zip")).status_code == 200
    kept = await ada.delete(f"{PATH}/releases/1.0.0/files/b.zip")
    assert (kept.status_code, kept.json()["title"]) == (409, "The release is in use")
    shown = (await ada.get(f"{PATH}/releases/1.0.0")).json()
    assert (shown["downloaded"], len(shown["files"])) == (True, 2)


async def test_files_of_a_draft_come_and_go_as_its_owner_likes(market: Market) -> None:
    ada = market.member()
    await ada.create(status="draft")
    await released(ada)
    await upload(ada, "a.zip", b"first")
    assert (await ada.delete(f"{PATH}/releases/1.0.0/files/a.zip")).status_code == 204
    assert (await upload(ada, "a.zip", b"second")).status_code == 201


async def test_a_download_leads_to_the_first_file_of_the_newest_release_that_has_one(
    market: Market, clock: ManualClock
) -> None:
    ada, nobody = market.member(), market.nobody()
    await ada.create()
    assert (await nobody.post(f"{PATH}/downloads")).json()["url"] == REPOSITORY
    clock.advance(3_600)
    for version in ("1.0.0", "1.1.0", "2.0.0rc1"):
        await released(ada, version)
    await upload(ada, "b.zip", version="1.0.0")
    await upload(ada, "rc.zip", version="2.0.0rc1")
    clock.advance(1)
    await upload(ada, "a.zip", version="1.0.0")
    url = (await nobody.post(f"{PATH}/downloads", headers={"Idempotency-Key": "k"})).json()["url"]
    assert url.endswith(f"{PATH}/releases/1.0.0/files/b.zip")
    assert (await nobody.get(url)).content == CONTENT
    # The call and the file that it leads to are one download.
    assert (await nobody.get(PATH)).json()["downloads"] == 2


async def test_files_of_what_is_for_sale_are_for_those_who_have_bought_it(market: Market) -> None:
    ada, grace = market.member(), market.member("Grace")
    await ada.create(
        price={"amount_minor": 900, "currency": "EUR"}, repository_url="https://gitlab.example.org/a/secret"
    )
    await released(ada, notes="[Guide](guide.md)")
    await upload(ada)
    file = f"{PATH}/releases/1.0.0/files/engine.tar.gz"
    assert (await ada.get(file)).content == CONTENT
    for method, path in (("GET", file), ("HEAD", file), ("POST", f"{PATH}/downloads")):
        assert (await grace.call(method, path)).status_code == 402
    shown = (await grace.get(f"{PATH}/releases/1.0.0")).json()
    assert "Guide" in shown["notes_html"]
    assert "secret" not in shown["notes_html"]
    order = (await grace.post(f"{PATH}/orders", {})).json()
    assert (await ada.post(f"/api/v1/orders/{order['id']}/mark-paid", {"reference": "x"})).status_code == 200
    await market.deliver()
    assert (await grace.get(file)).content == CONTENT
    assert (await grace.post(f"{PATH}/downloads")).json()["url"].endswith("engine.tar.gz")


class TestDownloading:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    @pytest.fixture(autouse=True)
    async def file(self, market: Market) -> str:
        ada = market.member()
        await ada.create()
        await released(ada)
        assert (await upload(ada, "gr%C3%B6%C3%9Fe%2520%20;%22.html", b"<script>alert(1)</script>")).status_code == 201
        assert (await upload(ada)).status_code == 201
        return f"{PATH}/releases/1.0.0/files/engine.tar.gz"

    async def test_a_file_never_becomes_a_page_of_ours(self, market: Market) -> None:
        answer = await market.nobody().get(f"{PATH}/releases/1.0.0/files/gr%C3%B6%C3%9Fe%2520 ;%22.html")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-disposition"] == (
            "attachment; filename=\"gr__e_20 ;_.html\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%2520%20%3B%22.html"
        )

    async def test_a_download_that_broke_off_goes_on_where_it_stopped(self, market: Market, file: str) -> None:
        nobody = market.nobody()

        async def part(wanted: str, **headers: str) -> httpx.Response:
            return await nobody.call("GET", file, headers={"Range": wanted, **headers})

        size = len(CONTENT)
        for wanted, start, end in (("bytes=0-0", 0, 1), ("bytes=100-", 100, size), ("bytes=-7", size - 7, size)):
            answer = await part(wanted)
            assert answer.status_code == 206
            assert answer.content == CONTENT[start:end]
            assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert answer.headers["content-length"] == str(end - start)
        for beyond in (f"bytes={size}-", "bytes=-0"):
            assert (await part(beyond)).status_code == 416
        for whole in ("bytes=0-1,3-4", "bytes=5-2", "lines=1-2", "bytes=-", "bytes=a-b", f"bytes=0-{size}0"):
            assert (await part(whole)).content == CONTENT
        assert (await part("bytes=0-0", If_Range=f'"{SHA256}"')).status_code == 206
        assert (await part("bytes=0-0", If_Range='"other"')).status_code == 200

    async def test_what_one_has_already_does_not_travel_again_and_is_not_counted(
        self, market: Market, file: str
    ) -> None:
        answer = await market.nobody().call("GET", file, headers={"If-None-Match": f'"a", W/"{SHA256}"'})
        assert (answer.status_code, answer.content) == (304, b"")
        assert (await market.nobody().get(PATH)).json()["downloads"] == 0

    async def test_a_look_tells_size_and_checksum_and_counts_nothing(self, market: Market, file: str) -> None:
        head = await market.nobody().call("HEAD", file)
        assert (head.headers["etag"], head.headers["content-length"]) == (f'"{SHA256}"', str(len(CONTENT)))
        assert head.content == b""
        assert (await market.nobody().get(PATH)).json()["downloads"] == 0

    async def test_parts_for_one_visitor_are_one_download(self, market: Market, file: str) -> None:
        for start in (0, 1_000, 2_000):
            await market.nobody().call("GET", file, headers={"Range": f"bytes={start}-{start + 999}"})
        assert (await market.nobody().get(PATH)).json()["downloads"] == 1

    async def test_what_is_not_there_is_not_found(self, market: Market) -> None:
        for path in ("1.0.0/files/none", "9.9/files/engine.tar.gz", "x/files/engine.tar.gz", "1.0.0/files/..%2f..%2fa"):
            assert (await market.nobody().get(f"{PATH}/releases/{path}")).status_code == 404

    async def test_a_lost_content_is_said_and_not_counted(self, market: Market, file: str) -> None:
        market.clock.advance(10)
        assert await market.storage.delete_old(SHA256, market.clock.now())
        lost = await market.nobody().get(file)
        assert (lost.status_code, lost.json()["title"]) == (503, "The file is missing")
        assert (await market.nobody().get(PATH)).json()["downloads"] == 0


class TestUploading:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    def settings(self) -> MarketplaceSettings:
        return MarketplaceSettings(
            project_writes_per_minute=100_000,
            release_file_bytes=6_000,
            release_project_bytes=11_000,
            release_server_bytes=16_000,
        )

    @pytest.fixture
    async def ada(self, market: Market) -> Person:
        ada = market.member()
        await ada.create()
        await released(ada)
        return ada

    async def test_the_same_content_again_changes_nothing_and_another_one_is_refused(self, ada: Person) -> None:
        assert (await upload(ada)).status_code == 201
        again = await upload(ada)
        assert (again.status_code, again.json()["sha256"]) == (200, SHA256)
        assert (await upload(ada, X_Checksum_Sha256=SHA256)).status_code == 200
        for other in (b"other", CONTENT[:-1] + b"x"):
            taken = await upload(ada, content=other)
            assert (taken.status_code, taken.json()["title"]) == (409, "The file exists")
        longer = await upload(ada, content=CONTENT + b"x")
        assert longer.status_code in (409, 413)
        assert (await upload(ada, X_Checksum_Sha256="0" * 64)).status_code == 409
        files = (await ada.get(f"{PATH}/releases/1.0.0")).json()["files"]
        assert [file["sha256"] for file in files] == [SHA256]

    async def test_a_content_that_was_lost_is_healed_by_uploading_it_again(self, market: Market, ada: Person) -> None:
        await upload(ada)
        market.clock.advance(10)
        assert await market.storage.delete_old(SHA256, market.clock.now())
        assert (await ada.get(f"{PATH}/releases/1.0.0/files/engine.tar.gz")).status_code == 503
        assert (await upload(ada, X_Checksum_Sha256=SHA256)).status_code == 200
        assert (await ada.get(f"{PATH}/releases/1.0.0/files/engine.tar.gz")).content == CONTENT

    async def test_a_checksum_that_was_announced_must_fit(self, market: Market, ada: Person) -> None:
        content = CONTENT[:100]
        sha256 = hashlib.sha256(content).hexdigest()
        good, bad = base64.b64encode(bytes.fromhex(sha256)).decode(), base64.b64encode(bytes(32)).decode()
        for number, (header, value, expected) in enumerate(
            (
                ("X-Checksum-Sha256", sha256.upper(), 201),
                ("Digest", f"md5=xyz, SHA-256={good}", 201),
                ("X-Checksum-Sha256", "0" * 64, 400),
                ("Content-Digest", f"sha-256=:{bad}:", 400),
                ("Digest", "sha-256=???", 400),
                ("X-Checksum-Sha256", "short", 400),
            )
        ):
            answer = await ada.call(
                "PUT", f"{PATH}/releases/1.0.0/files/{number}", content=content, headers={header: value}
            )
            assert answer.status_code == expected, answer.text
        both = await upload(ada, content=content, X_Checksum_Sha256="0" * 64, Digest=f"sha-256={good}")
        assert both.status_code == 400
        shown = (await ada.get(f"{PATH}/releases/1.0.0")).json()
        assert [file["name"] for file in shown["files"]] == ["0", "1"]

    @pytest.mark.parametrize(
        "name", ["a" * 201, "..", ".", "%00", "a%0Ab", "a%2Fb", "a%5Cb", "%20a", "%E2%80%AEa", "...", "%C2%85"]
    )
    async def test_a_name_that_could_lead_elsewhere_or_mislead_is_refused(self, ada: Person, name: str) -> None:
        answer = await upload(ada, name)
        # The client itself resolves dots; what arrives then is another address.
        assert answer.status_code in ((400, 404, 405) if name in (".", "..") else (400, 404))
        assert (await ada.get(f"{PATH}/releases/1.0.0")).json()["files"] == []

    async def test_names_that_look_the_same_are_the_same(self, ada: Person) -> None:
        assert (await upload(ada, "caf%C3%A9")).status_code == 201
        assert (await upload(ada, "cafe%CC%81")).status_code == 200

    async def test_each_limit_of_size_is_kept_and_named(self, ada: Person) -> None:
        large = await upload(ada, "large", bytes(6_001))
        assert (large.status_code, "6000 bytes, which is the most for one file" in large.json()["detail"]) == (
            413,
            True,
        )
        assert (await upload(ada, "a", bytes(6_000))).status_code == 201
        project = await upload(ada, "b", bytes(5_001))
        assert (project.status_code, "11000 together" in project.json()["detail"]) == (413, True)
        assert (await upload(ada, "b", bytes(5_000))).status_code == 201
        await ada.create("Second")
        other = f"{PROJECTS}/ada.second"
        await released(ada, path=other)
        server = await ada.call("PUT", f"{other}/releases/1.0.0/files/c", content=bytes(5_001))
        assert (server.status_code, "room" in server.json()["detail"]) == (413, True)

    async def test_what_announces_too_much_is_refused_before_it_is_read(self, ada: Person) -> None:
        async def never() -> AsyncIterator[bytes]:
            raise AssertionError("it was read")
            yield b""

        answer = await ada.call(
            "PUT", f"{PATH}/releases/1.0.0/files/a", content=never(), headers={"Content-Length": "6001"}
        )
        assert answer.status_code == 413

    async def test_what_announces_nothing_is_cut_off_at_the_limit(self, market: Market, ada: Person) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1_000
                yield bytes(1_000)

        assert (await upload(ada, "a", endless())).status_code == 413
        assert sent <= 8_000
        market.clock.advance(10 * 86_400)
        assert [kept async for kept in market.storage.all_before(market.clock.now())] == []

    async def test_a_release_has_room_for_so_many_files(self, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        assert MAX_FILES == 100
        monkeypatch.setattr(files_service, "MAX_FILES", 2)
        assert [(await upload(ada, name, b"x")).status_code for name in "abc"] == [201, 201, 409]
        # A name that was given away takes a place: only its own content may come back.
        assert (await ada.delete(f"{PATH}/releases/1.0.0/files/a")).status_code == 204
        assert (await upload(ada, "c", b"x")).status_code == 409

    async def test_one_person_uploads_so_many_files_at_once(self, ada: Person) -> None:
        go = asyncio.Event()
        arrived: list[None] = []

        async def slow() -> AsyncIterator[bytes]:
            arrived.append(None)
            yield b"a"
            await go.wait()

        waiting = [asyncio.create_task(upload(ada, f"{number}", slow())) for number in range(4)]
        while len(arrived) < 4:
            await asyncio.sleep(0.001)
        busy = await upload(ada, "more")
        go.set()
        assert busy.status_code == 429
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {201}
        assert (await upload(ada, "more")).status_code == 201

    async def test_two_who_upload_one_name_at_once_do_not_mix(self, ada: Person) -> None:
        contents = [bytes([number]) * 100 for number in range(4)]
        answers = await asyncio.gather(*(upload(ada, "same", content) for content in contents))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201, 409, 409, 409]
        won = contents[[answer.status_code for answer in answers].index(201)]
        assert (await ada.get(f"{PATH}/releases/1.0.0/files/same")).content == won

    async def test_a_release_that_goes_while_its_file_comes_gets_no_file(self, ada: Person) -> None:
        async def late() -> AsyncIterator[bytes]:
            yield b"a"
            assert (await ada.delete(f"{PATH}/releases/1.0.0")).status_code == 204

        assert (await upload(ada, "a", late())).status_code == 404

    async def test_contents_that_belong_to_no_file_go_after_an_hour(self, market: Market, ada: Person) -> None:
        await upload(ada, "a", b"shared")
        await upload(ada, "b", b"alone")
        await released(ada, "2.0.0")
        await upload(ada, "a", b"shared", version="2.0.0")
        assert (await ada.delete(f"{PATH}/releases/1.0.0")).status_code == 204
        hashes = {word: hashlib.sha256(word.encode()).hexdigest() for word in ("shared", "alone")}
        await market.module.files.tidy()
        assert await market.storage.size_of(hashes["alone"]) == 5
        market.clock.advance(3_601)
        await market.module.files.tidy()
        assert await market.storage.size_of(hashes["alone"]) is None
        assert await market.storage.size_of(hashes["shared"]) == 6
        await ada.delete(PATH)
        market.clock.advance(3_601)
        await market.module.files.tidy()
        assert await market.storage.size_of(hashes["shared"]) is None
