"""Puts the built web UI into the wheel, so that an installation needs no Node. `make wheel` builds the UI first."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds; `version` is "editable" for a checkout that is worked in."""
        if version == "editable":
            return
        built = Path(self.root, "web", "build")
        if not Path(built, "200.html").is_file():
            raise FileNotFoundError(f"{built} holds no web UI. Run make wheel, which builds it.")
        build_data["force_include"][str(built)] = "opencode/web_build"
