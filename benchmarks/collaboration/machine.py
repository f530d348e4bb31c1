"""Where the figures were taken: without it they mean nothing."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from subprocess import run

from benchmarks.collaboration.peers.contenders import HERE
from benchmarks.collaboration.processes import CORES, LOAD_CORE, SERVER_CORE
from benchmarks.installing import node

PACKAGES = ("opencode-platform", "pycrdt", "picows", "uvloop", "uvicorn", "pycrdt-websocket")


def describe() -> dict[str, str]:
    """Processor, kernel and versions; nothing that names the machine or its owner."""
    facts = {
        "cores": str(os.cpu_count()),
        "processor": _first_value(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "memory_gb": f"{_total_memory_bytes() / 1e9:.0f}",
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "node": run([node(), "--version"], capture_output=True, text=True, check=True).stdout.strip(),
        "pinning": _pinning(),
        "load_average_before": f"{os.getloadavg()[0]:.2f}",
    }
    return facts | {package: version(package) for package in PACKAGES} | {"y-websocket": _peer_version()}


def _pinning() -> str:
    if SERVER_CORE is None:
        return "one core for all"
    return f"server on core {SERVER_CORE}, load on core {LOAD_CORE} of {len(CORES)}"


def _total_memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _peer_version() -> str:
    match = re.search(r'"y-websocket": "([^"]+)"', (HERE / "package.json").read_text())
    return match[1] if match else "unknown"


def _first_value(file: Path, key: str) -> str | None:
    for line in file.read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return None
