"""`python -m opencode` is the command `ocp`."""

from opencode.app.cli import main

main()
