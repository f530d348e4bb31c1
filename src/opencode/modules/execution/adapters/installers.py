"""
Installs toolchains: Debian packages system-wide, pinned Python and npm packages each in a folder of its own on the
shelf. It is the operator who asks for it, on the command line; nothing is ever installed while a server runs programs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from opencode.modules.execution.adapters import shelf
from opencode.modules.execution.domain.programs import Runtime

_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300")
_LONGEST_INSTALL_S = 3600  # a gigabyte over a slow line
_LONGEST_LOOKUP_S = 120
_RECORD = "installed.json"
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What an installation would bring.

    Attributes:
        debian: all packages that apt would add, those that others depend on included.
        debian_bytes: what they take on the disk.
        packages: what comes from PyPI and npm.
        problems: what cannot be installed, in words, by language.
    """

    debian: tuple[str, ...] = ()
    debian_bytes: int = 0
    packages: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A package that was installed: apt takes the version of the distribution, so it is written down."""

    language: str
    package: str
    version: str
    installed_at: str


class InstallFailed(Exception):
    """A package could not be installed; the message says why, as one sentence."""


def plan(runtimes: Sequence[Runtime]) -> Plan:
    """Ask apt what it would do, changing nothing. Needs no root."""
    packages = tuple(
        dict.fromkeys(name for runtime in runtimes for name in (*runtime.install.pypi, *runtime.install.npm))
    )
    problems: list[tuple[str, str]] = [
        (runtime.id, f"its runtime file names no packages. Install {runtime.name} yourself.")
        for runtime in runtimes
        if not (runtime.install.apt or runtime.install.pypi or runtime.install.npm)
    ]
    wanted = sorted({name for runtime in runtimes for name in runtime.install.apt})
    if not wanted:
        return Plan(packages=packages, problems=tuple(problems))
    if not shutil.which("apt-get"):
        words = "apt-get is not on this machine. Install what its runtime file names with your own package manager."
        problems += [(runtime.id, words) for runtime in runtimes if runtime.install.apt]
        return Plan(packages=packages, problems=tuple(problems))
    try:
        added = _would_add(wanted)
    except InstallFailed:
        # One bad name spoils the whole question, so each language is asked for on its own.
        added = ()
        for runtime in runtimes:
            try:
                added = (*added, *_would_add(runtime.install.apt))
            except InstallFailed as failure:
                problems.append((runtime.id, str(failure)))
    debian = tuple(sorted(set(added)))
    return Plan(debian, _installed_bytes(debian), packages, tuple(problems))


def install(runtime: Runtime, shelves: tuple[str, ...], now: datetime) -> tuple[Record, ...]:
    """
    Install all that a runtime's file names. What is there already stays as it is.

    Raises:
        InstallFailed: with the reason; what was installed before stays.
    """
    records: list[Record] = []
    if runtime.install.apt:
        _apt_install(runtime.install.apt)
        records += [
            Record(runtime.id, name, _debian_version(name), now.isoformat(timespec="seconds"))
            for name in runtime.install.apt
        ]
    for kind, names, separator in ((shelf.PYPI, runtime.install.pypi, "=="), (shelf.NPM, runtime.install.npm, "@")):
        for name in names:
            package, _, version = name.rpartition(separator)
            _put_in_folder(kind, name, f"{package.replace('/', '-')}-{version}", shelves)
            records.append(Record(runtime.id, package, version, now.isoformat(timespec="seconds")))
    _write_down(records, shelves)
    return tuple(records)


def refresh() -> None:
    """
    Have apt read the lists of packages again.

    Raises:
        InstallFailed: they cannot be read.
    """
    _run([*_APT, "update", "--quiet"])


def _would_add(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    said = _run(["apt-get", "--simulate", "--no-install-recommends", "install", *names], _LONGEST_LOOKUP_S)
    return tuple(re.findall(r"(?m)^Inst (\S+)", said))


def _installed_bytes(names: Sequence[str]) -> int:
    if not names:
        return 0
    said = _run(["apt-cache", "show", "--no-all-versions", *names], _LONGEST_LOOKUP_S)
    return sum(int(size) * _KIB for size in re.findall(r"(?m)^Installed-Size: (\d+)", said))


def _apt_install(names: Sequence[str]) -> None:
    _run([*_APT, "install", "--yes", "--quiet", "--no-install-recommends", *names])


def _debian_version(name: str) -> str:
    return _run(["dpkg-query", "--show", "--showformat=${Version}", name], _LONGEST_LOOKUP_S).strip()


def _put_in_folder(kind: str, name: str, folder_name: str, shelves: tuple[str, ...]) -> None:
    try:
        parent = shelf.first_usable(shelves) / kind
        parent.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise InstallFailed(f"the folder for toolchains cannot be written ({error.strerror}).") from error
    target = parent / folder_name
    if target.is_dir():
        return
    unfinished = Path(tempfile.mkdtemp(dir=parent, prefix=".unfinished-"))
    try:
        _run(_pip(name, unfinished) if kind == shelf.PYPI else _npm(name, unfinished))
        unfinished.chmod(0o755)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _pip(name: str, folder: Path) -> list[str]:
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
    # Only wheels: building one runs its author's program with the operator's rights.
    return [sys.executable, "-m", "pip", "install", *quiet, "--only-binary=:all:", "--target", str(folder), name]


def _npm(name: str, folder: Path) -> list[str]:
    npm = shutil.which("npm", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if not npm:
        raise InstallFailed("npm is not on this machine. Install the Debian package npm.")
    quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"]
    # No install scripts, for the reason above.
    return [npm, "install", *quiet, "--ignore-scripts", "--prefix", str(folder), name]


def _run(command: Sequence[str], longest_s: int = _LONGEST_INSTALL_S) -> str:
    """
    What a command says on stdout.

    Raises:
        InstallFailed: it failed; with the last thing that it complained of.
    """
    # npm starts the node that comes first, which must be the one beside it.
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    surroundings = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": path}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=longest_s,
            check=False,
            env=surroundings,
            umask=0o022,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallFailed(f"{Path(command[0]).name} could not be run to its end ({error}).") from error
    if done.returncode:
        raise InstallFailed(_complaint(Path(command[0]).name, done.stderr or done.stdout))
    return done.stdout


def _complaint(program: str, said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = [line for line in lines if re.match(r"(?i)(E:|error:|npm error)", line)]
    last = (marked or lines or ["it said nothing"])[0 if marked else -1]
    return f"{program} failed: {re.sub(r'^(?i:E:|error:|npm error) *', '', last).rstrip('.')}."


def _write_down(records: Sequence[Record], shelves: tuple[str, ...]) -> None:
    try:
        place = shelf.first_usable(shelves) / _RECORD
        before: list[dict[str, str]] = json.loads(place.read_text("utf-8")) if place.exists() else []
        new = [asdict(record) for record in records]
        names = {(record.language, record.package) for record in records}
        kept = [record for record in before if (record["language"], record["package"]) not in names]
        unfinished = place.with_suffix(".unfinished")
        unfinished.write_text(json.dumps([*kept, *new], indent=2) + "\n", "utf-8")
        unfinished.replace(place)
    except (OSError, ValueError, KeyError) as error:
        raise InstallFailed(f"it is installed, but {_RECORD} could not be written ({error}).") from error
