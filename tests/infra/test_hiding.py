"""Packages that are installed and not wanted."""

import sys
from importlib import import_module

import pytest

from opencode.infra.hiding import hidden


def test_what_is_hidden_cannot_be_found_and_is_found_again_afterwards() -> None:
    sys.modules.pop("this", None)  # the one module of Python that surely nobody has loaded, since it would show
    with hidden("this"), pytest.raises(ModuleNotFoundError):
        import_module("this")
    assert "this" not in sys.modules


def test_what_is_loaded_already_stays_where_it_is() -> None:
    with hidden("json"):
        assert import_module("json") is sys.modules["json"]
    assert sys.modules["json"] is not None


def test_nothing_stays_hidden_after_an_error() -> None:
    with pytest.raises(ValueError, match="oh"), hidden("this"):
        raise ValueError("oh")
    assert "this" not in sys.modules
