"""`python -m benchmarks [ai | collaboration | execution | marketplace] …`: what is named, or everything."""

import sys

from benchmarks.ai.command import main as ai
from benchmarks.collaboration.command import main as collaboration
from benchmarks.execution.command import main as execution
from benchmarks.marketplace.command import main as marketplace

PARTS = {"ai": ai, "collaboration": collaboration, "execution": execution, "marketplace": marketplace}


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in PARTS:
        return PARTS[arguments[0]](arguments[1:])
    return max([part(arguments) for part in PARTS.values()])


sys.exit(main(sys.argv[1:]))
