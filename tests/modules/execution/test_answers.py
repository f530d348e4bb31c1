"""What toolchains said of themselves is asked for once."""

import os
from pathlib import Path

import pytest

from opencode.modules.execution.adapters import answers


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho 1.0\n")
    return tool


@pytest.fixture
def shelves(tmp_path: Path) -> tuple[str, ...]:
    return (str(tmp_path / "shelf"),)


def test_an_answer_is_remembered_for_its_command_only(tool: Path, shelves: tuple[str, ...]) -> None:
    answers.remember([str(tool), "--version"], "1.0\n", shelves)
    assert answers.recall([str(tool), "--version"], shelves) == "1.0\n"
    assert answers.recall([str(tool), "-v"], shelves) is None


def test_a_tool_that_changed_is_asked_again(tool: Path, shelves: tuple[str, ...]) -> None:
    answers.remember([str(tool)], "1.0\n", shelves)
    os.utime(tool, (1, 1))
    assert answers.recall([str(tool)], shelves) is None


def test_packages_that_come_or_go_make_all_tools_answer_again(
    tool: Path, shelves: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "status"
    packages.write_text("one package")
    monkeypatch.setattr(answers, "_PACKAGES", packages)
    answers.remember([str(tool)], "1.0\n", shelves)
    packages.write_text("two packages")
    assert answers.recall([str(tool)], shelves) is None


def test_without_a_shelf_nothing_is_remembered_and_nothing_fails(tool: Path) -> None:
    answers.remember([str(tool)], "1.0\n", ("/proc/nowhere",))
    assert answers.recall([str(tool)], ("/proc/nowhere",)) is None
