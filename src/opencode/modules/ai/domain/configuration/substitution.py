"""
Variables and files in the values of a configuration.

The grammar is that of the OpenTelemetry configuration data model (environment variable substitution, stable 1.0),
with files for secrets added:

    "${NAME}"            the variable; without it there is a problem, never an empty text
    "${NAME:-default}"   the variable, or the default where it is missing or empty
    "$$"                 a dollar sign
    "{file:path}"        what a file says, without the line end behind it; relative to the configuration's folder

Only in values, never in keys; what is filled in is not looked at again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opencode.modules.ai.domain.configuration.jsonc import Node, Path, Scalar, mapped, shown
from opencode.modules.ai.domain.configuration.problems import Problem, likely
from opencode.modules.ai.domain.configuration.shape import as_wanted, wanted_kinds

_PART = re.compile(r"\$\$|\$\{(?P<inside>[^{}\n]*)(?P<end>\}?)|\{file:(?P<file>[^{}\n]*)(?P<file_end>\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

ReadFile = Callable[[str, str], str]
"""
Takes the name of the source and the path as it was written, and gives the text.

Raises:
    OSError, UnicodeDecodeError: it cannot be read.
"""


@dataclass(slots=True)
class Substitution:
    """
    One pass over a configuration.

    Attributes:
        problems: all that could not be filled in.
        secret: the paths of values that came, in whole or in part, from a variable or file.
    """

    variables: Mapping[str, str]
    read_file: ReadFile
    problems: list[Problem] = field(default_factory=list[Problem])
    secret: set[str] = field(default_factory=set[str])

    def fill(self, node: Node) -> Node:
        """The value with everything filled in. What cannot be is left as it was written, and told."""
        return mapped(node, self._text)

    def _text(self, text: str, node: Node, path: Path) -> Scalar:
        if node.source.is_literal or ("$" not in text and "{file:" not in text):
            return text
        pieces: list[str] = []
        at = 0
        for part in _PART.finditer(text):
            pieces += [text[at : part.start()], self._part(part, node, shown(path))]
            at = part.end()
        if not at:
            return text
        return as_wanted("".join((*pieces, text[at:])), wanted_kinds(path))

    def _part(self, part: re.Match[str], node: Node, path: str) -> str:
        if part[0] == "$$":
            return "$"
        if part["file"] is not None:
            return self._file(part, node, path)
        if not part["end"]:
            return self._problem(
                part, node, path, "This ${ has no closing bracket. A dollar sign itself is written $$."
            )
        name, has_default, default = part["inside"].partition(":-")
        if not _NAME.fullmatch(name):
            return self._problem(part, node, path, f"{name!r} is no name of a variable: letters, digits and _ only.")
        value = self.variables.get(name, "")
        if value:
            self.secret.add(path)
            return value
        if has_default:
            return default
        if name in self.variables:
            message = f"The variable {name} is set, but empty. If that is meant, write ${{{name}:-}}."
        else:
            message = f"The variable {name} is not set. Set it, or give a default: ${{{name}:-…}}."
        return self._problem(part, node, path, message, likely(name, self.variables))

    def _file(self, part: re.Match[str], node: Node, path: str) -> str:
        if not part["file_end"]:
            return self._problem(part, node, path, "This {file: has no closing bracket.")
        try:
            text = self.read_file(node.source.name, part["file"])
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            return self._problem(part, node, path, f"The file {part['file']} cannot be read: {reason}.")
        self.secret.add(path)
        return text.removesuffix("\n").removesuffix("\r")

    def _problem(self, part: re.Match[str], node: Node, path: str, message: str, suggestion: str = "") -> str:
        # Inside the quotes, where the text as it is written has no escapes before the part.
        written = node.source.text[node.offset + 1 : node.offset + 1 + part.end()]
        inside = 1 + part.start() if written.endswith(part[0]) else 0
        self.problems.append(Problem(node.source.place(node.offset + inside), path, message, suggestion))
        return part[0]
