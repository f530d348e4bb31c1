"""Writes openapi.json, the description of the API, to stdout: `make openapi`. A test holds the file to the code."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opencode.app.http import create_app
from opencode.app.openapi import api_description, render
from opencode.app.settings import load_settings
from opencode.app.wiring import wire


def current_description() -> dict[str, Any]:
    """The description of this version with all its modules, made without a server or a data folder."""

    with TemporaryDirectory() as folder:
        house = wire(load_settings({"data": Path(folder)}, environment={}))
        return api_description(create_app(house))


if __name__ == "__main__":
    sys.stdout.buffer.write(render(current_description()))
