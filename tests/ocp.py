"""The command `ocp` as people use it: a process of its own, settings from the environment, a folder for its data."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

import httpx

PROGRAM = Path(sys.executable).with_name("ocp")
PATIENCE_S = 60.0
_READY = "OpenCode is ready at "

# Argon2id at its real strength takes a third of a second; these tests are about other things.
QUICK_PASSWORDS = {"OCP_PASSWORD_MEMORY_KIB": "8192", "OCP_PASSWORD_PASSES": "1", "OCP_PASSWORD_LANES": "1"}
EMAIL = "ada@example.org"
PASSWORD = "a long enough password"


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    status: int
    out: str
    err: str


def environment_of(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of OpenCode, and these on top."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OCP_")}
    return {**plain, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "400", **(settings or {})}


def run_ocp(*words: str | Path, settings: Mapping[str, str] | None = None, folder: Path | None = None) -> Finished:
    """Run a command to its end, in `folder`."""
    done = subprocess.run(
        [PROGRAM, *words],
        env=environment_of(settings),
        cwd=folder,
        capture_output=True,
        timeout=PATIENCE_S,
        text=True,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Server:
    """A server that is ready. `said` is what it printed until then."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    said: list[str] = field(default_factory=list[str])

    def client(self) -> httpx.Client:
        """A person's browser: keeps cookies, and names its origin as browsers do."""
        return httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=PATIENCE_S)

    def next_line(self) -> str:
        """The next line that the server prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(
    data: Path,
    *,
    settings: Mapping[str, str] | None = None,
    program: Path = PROGRAM,
    cwd: Path | None = None,
    port: int = 0,
) -> Generator[Server]:
    """
    Start `ocp serve`, on a free port unless one is named, and kill it when left. It dies with this process too.

    Raises:
        RuntimeError: it did not get ready; the message holds what it wrote.
    """
    data.mkdir(parents=True, exist_ok=True)
    log = data.with_name(f"{data.name}.log")
    guard = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL"]
    with log.open("ab") as written:
        process = subprocess.Popen(
            [*guard, program, "serve", "--port", str(port), "--data", data],
            env=environment_of({**QUICK_PASSWORDS, **(settings or {})}),
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=written,
            stdin=subprocess.DEVNULL,
            text=True,
        )
    impatience = Timer(PATIENCE_S, process.kill)
    impatience.start()
    try:
        server = Server(process, "", log)
        for line in process.stdout or ():
            server.said.append(line.strip())
            if line.startswith(_READY):
                server.url = line.removeprefix(_READY).strip()
                break
        impatience.cancel()
        if not server.url:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        yield server
    finally:
        impatience.cancel()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def register(client: httpx.Client, email: str = EMAIL) -> httpx.Response:
    """Make an account; the first one is the administrator."""
    body = {"email": email, "password": PASSWORD, "display_name": email.partition("@")[0].capitalize()}
    return client.post("/api/v1/auth/register", json=body)
