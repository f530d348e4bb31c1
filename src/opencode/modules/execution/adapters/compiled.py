"""What compilers made, kept so that the same sources need no compiler again."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from opencode.contracts.execution import Output
from opencode.modules.execution.domain.programs import Program


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """`collected` as a cell gave it; `said`: what the compiler printed, such as warnings."""

    collected: bytes
    said: tuple[Output, ...]

    @property
    def size(self) -> int:
        return len(self.collected) + sum(len(output.data) for output in self.said)


def key_of(program: Program, toolchain: str) -> bytes:
    """
    Args:
        toolchain: whatever changes when the compiler does.
    """
    digest = hashlib.sha256()
    for word in (toolchain, *program.compile):
        digest.update(b"%d:%b" % (len(word.encode()), word.encode()))
    for file in program.files:
        digest.update(b"%d:%b%d:" % (len(file.name.encode()), file.name.encode(), len(file.content)))
        digest.update(file.content)
    return digest.digest()


@dataclass(slots=True)
class CompileCache:
    """The programs used last, as many as fit into `most_bytes`."""

    most_bytes: int
    _kept: "OrderedDict[bytes, CompiledProgram]" = field(default_factory=OrderedDict[bytes, CompiledProgram])
    _size: int = 0

    def get(self, key: bytes) -> CompiledProgram | None:
        found = self._kept.get(key)
        if found:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, program: CompiledProgram) -> None:
        if program.size > self.most_bytes // 4 or key in self._kept:
            return
        self._kept[key] = program
        self._size += program.size
        while self._size > self.most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size
