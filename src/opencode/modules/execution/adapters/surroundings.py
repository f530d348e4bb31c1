"""What of this machine the cells of a runtime show, and what a program finds in its environment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opencode.contracts.execution import Stage

TOOLCHAINS = "/opt/toolchains"
PREPARED = "/opt/prepared"
HEADERS = "/opt/headers"
WORK = "/work"
TEMPORARY = "/tmp"  # noqa: S108 (of the cell; nobody else is there)

_CELL_ID = 1000  # zygote/walls.py
_ETC = ("ld.so.cache", "alternatives")
_STDBUF = (Path("/usr/libexec/coreutils/libstdbuf.so"), Path("/usr/lib/coreutils/libstdbuf.so"))  # coreutils
_BUFFERED_BY_LINE = ("LD_PRELOAD", "_STDBUF_O")  # stdbuf(1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    Attributes:
        binds: (place on the host, place inside), read-only; beside `/usr`, which every cell shows.
        environment: all that a program finds in its environment, as pairs.
    """

    binds: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls,
        etc: Iterable[str] = (),
        toolchain: tuple[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
        line_buffered: bool = False,
    ) -> "Surroundings":
        """
        Args:
            etc: glob patterns below `/etc`.
            toolchain: a folder outside `/usr`, and where it shall appear.
            line_buffered: print line by line, also into a pipe.
        """
        files = sorted({str(path) for pattern in (*_ETC, *etc) for path in Path("/etc").glob(pattern)})
        binds = [(file, file) for file in files]
        if toolchain:
            binds.append((str(toolchain[0]), toolchain[1]))
        variables = {
            "PATH": "/usr/bin:/bin",
            "HOME": WORK,
            "TMPDIR": TEMPORARY,
            "LANG": "C.UTF-8",
            "USER": "cell",
            **(environment or {}),
        }
        library = next((path for path in _STDBUF if path.exists()), None)
        if line_buffered and library:
            variables |= dict(zip(_BUFFERED_BY_LINE, (str(library), "L"), strict=True))
        return cls(tuple(binds), tuple(variables.items()))

    def environment_of(self, stage: Stage) -> dict[str, str]:
        """A compiler is many processes, each of which would pay for printing by line."""
        variables = dict(self.environment)
        if stage == "compile":
            for name in _BUFFERED_BY_LINE:
                variables.pop(name, None)
        return variables

    def showing(self, folder: Path, place: str) -> "Surroundings":
        """The same, with one folder more."""
        return replace(self, binds=(*self.binds, (str(folder), place)))


def account_files() -> dict[str, bytes]:
    """What a cell knows of users and hosts."""
    return {
        "/etc/passwd": (
            f"cell:x:{_CELL_ID}:{_CELL_ID}:cell:{WORK}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
        ).encode(),
        "/etc/group": f"cell:x:{_CELL_ID}:\nnogroup:x:65534:\n".encode(),
        "/etc/hosts": b"127.0.0.1 localhost cell\n::1 localhost\n",
    }
