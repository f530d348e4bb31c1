"""`deploy/varnish.vcl` in front of a server: what everybody may see is kept, and nothing else is."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.ocp import EMAIL, PATIENCE_S, register, serving
from tests.servers import socket_folder

pytestmark = pytest.mark.soak

VCL = Path(__file__).parents[2] / "deploy" / "varnish.vcl"
TOKEN = "change-me"  # of the example
HTML = {"accept": "text/html"}
HANDSHAKE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Varnish:
    """A Varnish that listens at `url`; it gets its configuration once there is a server to stand in front of."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        until(lambda: process.poll() is not None or "running" in self._says("status"))
        name, port = self._says("debug.listen_address").split()[-2:]
        self.url = f"http://{name}:{port}"

    def stand_before(self, server: str) -> None:
        port = urlsplit(server).port
        configuration = self._folder / "opencode.vcl"
        configuration.write_text(VCL.read_text().replace('.port = "8000"', f'.port = "{port}"'))
        self._says("vcl.load", "opencode", configuration)
        self._says("vcl.use", "opencode")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=PATIENCE_S)

    def _says(self, *words: str | Path) -> str:
        done = subprocess.run(
            ["varnishadm", "-n", self._folder / "own", *words],
            capture_output=True,
            timeout=PATIENCE_S,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or words == ("status",), done.stdout + done.stderr
        return done.stdout


@contextmanager
def running_varnish() -> Generator[Varnish]:
    with socket_folder() as folder, _started(folder) as process:
        yield Varnish(folder, process)


@contextmanager
def _started(folder: Path) -> Generator[subprocess.Popen[bytes]]:
    empty = folder / "empty.vcl"
    empty.write_text("vcl 4.1;\nbackend default none;\n")
    program = shutil.which("varnishd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert program, "varnish is missing: tools/debian-packages varnish varnish-modules"
    words = [program, "-F", "-a", "127.0.0.1:0", "-f", empty, "-n", folder / "own", "-s", "malloc,32m"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *words], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def varnish(tmp_path_factory: pytest.TempPathFactory) -> Generator[Varnish]:
    with running_varnish() as before:
        settings = {
            "OCP_MARKETPLACE_PURGE_URL": f"{before.url}/purge",
            "OCP_MARKETPLACE_PURGE_TOKEN": TOKEN,
        }
        with serving(tmp_path_factory.mktemp("varnish") / "data", settings=settings) as server:
            before.stand_before(server.url)
            yield before


@pytest.fixture(scope="module")
def ada(varnish: Varnish) -> Generator[httpx.Client]:
    """Signed in, with all the cookies that there are."""
    with varnish.client() as client:
        assert register(client).status_code == 201
        assert client.cookies
        yield client


@pytest.fixture
def nobody(varnish: Varnish) -> Generator[httpx.Client]:
    with varnish.client() as client:
        yield client


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, "it never came"


def is_kept(answer: httpx.Response) -> bool:
    """Varnish names the request that an answer from its memory was fetched for."""
    return len(answer.headers["x-varnish"].split()) == 2


def created(author: httpx.Client, title: str, status: str = "published") -> str:
    made = author.post("/api/v1/projects", json={"title": title, "summary": "First words.", "status": status})
    assert made.status_code == 201, made.text
    return made.json()["slug"]


def test_a_page_is_kept_for_all_and_made_anew_soon_after_a_change(ada: httpx.Client, nobody: httpx.Client) -> None:
    slug = created(ada, "Engine")
    path = f"/projects/{slug}"
    until(lambda: nobody.get(path, headers=HTML).status_code == 200)
    until(lambda: is_kept(nobody.get(path, headers=HTML)))
    for reader in (ada, nobody):
        page = reader.get(path, headers=HTML)
        assert is_kept(page)
        assert "First words." in page.text
        assert not {"xkey", "surrogate-key"} & page.headers.keys()
        assert reader.get(path, headers={**HTML, "if-none-match": page.headers["etag"]}).status_code == 304
    assert ada.patch(f"/api/v1/projects/{slug}", json={"summary": "Second words."}).status_code == 200
    until(lambda: "Second words." in nobody.get(path, headers=HTML).text)
    assert "Second words." in nobody.get("/projects", headers=HTML).text


def test_that_there_is_nothing_is_kept_until_there_is_something(ada: httpx.Client, nobody: httpx.Client) -> None:
    path = f"/projects/{EMAIL.partition('@')[0]}.loom"
    until(lambda: is_kept(nobody.get(path, headers=HTML)))
    assert nobody.get(path, headers=HTML).status_code == 404
    created(ada, "Loom")
    until(lambda: nobody.get(path, headers=HTML).status_code == 200)


def test_what_is_for_one_person_is_never_kept(ada: httpx.Client, nobody: httpx.Client) -> None:
    path = f"/api/v1/projects/{created(ada, 'Secret plan', 'draft')}"
    for own in (path, "/api/v1/me", "/api/v1/me/projects", "/api/v1/projects"):
        for _ in range(3):
            answer = ada.get(own)
            assert (answer.status_code, is_kept(answer)) == (200, False), own
    for _ in range(3):
        assert nobody.get(path).status_code == 404
        assert nobody.get("/api/v1/me").status_code == 401
        assert "Secret plan" not in nobody.get("/api/v1/projects").text
        assert "Secret plan" not in nobody.get("/projects", headers=HTML).text
    assert ada.get(path).json()["title"] == "Secret plan"


def test_a_cookie_that_is_given_to_one_is_given_to_nobody_else(ada: httpx.Client, varnish: Varnish) -> None:
    for email in ("grace@example.org", "joan@example.org"):
        with varnish.client() as other:
            assert register(other, email).headers["set-cookie"]
            assert other.get("/api/v1/me").json()["email"] == email
    assert ada.get("/api/v1/me").json()["email"] == EMAIL


def test_each_look_at_a_project_is_counted(ada: httpx.Client, nobody: httpx.Client) -> None:
    path = f"/api/v1/projects/{created(ada, 'Counted')}"
    assert not any(is_kept(nobody.get(path)) for _ in range(3))


def test_nobody_without_the_token_says_what_is_outdated(ada: httpx.Client, nobody: httpx.Client) -> None:
    path = f"/projects/{created(ada, 'Steady')}"
    until(lambda: is_kept(nobody.get(path, headers=HTML)))
    keys = {"surrogate-key": "all-projects unknown-projects"}
    for headers in (keys, {**keys, "authorization": "Bearer guess"}):
        assert ada.post("/purge", headers=headers).status_code == 403
    assert ada.get("/purge", headers={**keys, "authorization": f"Bearer {TOKEN}"}).status_code == 403
    assert is_kept(nobody.get(path, headers=HTML))


def test_an_interview_is_held_through_it(ada: httpx.Client, varnish: Varnish) -> None:
    made = ada.post("/api/v1/interviews", json={"title": "Through Varnish", "language": "python"}).json()
    ada.post(f"/api/v1/interviews/{made['id']}/start")
    ticket = ada.post(f"/api/v1/documents/{made['document_id']}/tickets").json()["ticket"]
    assert said(varnish, f"/api/v1/documents/{made['document_id']}?ticket={ticket}").startswith(b"HTTP/1.1 101 ")
    with ada.stream("GET", f"/api/v1/interviews/{made['id']}/events") as events:
        assert next(events.iter_lines())


@pytest.mark.parametrize("path", ["/api/v1/documents/doc_none?ticket=none", "/api/v1/projects"])
def test_what_follows_a_refused_handshake_is_not_answered(varnish: Varnish, ada: httpx.Client, path: str) -> None:
    # Varnish would not see it, and whoever sends it could claim to be at any address.
    hidden = b"GET /health HTTP/1.1\r\nHost: hidden\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
    answers = said(varnish, path, hidden, to_the_end=True)
    assert answers.startswith(b"HTTP/1.1 40")
    assert answers.count(b"HTTP/1.1 ") == 1


def said(varnish: Varnish, path: str, further: bytes = b"", *, to_the_end: bool = False) -> bytes:
    """What comes back on a connection that begins with a handshake."""
    place = urlsplit(varnish.url)
    with socket.create_connection((place.hostname or "", place.port or 0), PATIENCE_S) as connection:
        headers = {"Host": place.netloc, "Origin": varnish.url, **HANDSHAKE}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode() + further)
        if not to_the_end:
            return connection.recv(65536)
        parts: list[bytes] = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)
