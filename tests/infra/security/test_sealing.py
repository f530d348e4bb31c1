"""What is sealed opens with its key, as part of its record, and not otherwise."""

import stat
from pathlib import Path

import pytest

from opencode.infra.security import Keyring, SealBroken


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sealing.keys"


def test_what_was_sealed_is_read_by_another_process_with_the_same_file(path: Path) -> None:
    sealed = Keyring(path).seal(b"sk-secret", "provider 1")
    assert b"sk-secret" not in sealed.encode()
    assert Keyring(path).open(sealed, "provider 1") == b"sk-secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_secret_is_never_sealed_twice_alike(path: Path) -> None:
    keyring = Keyring(path)
    assert len({keyring.seal(b"same", "one") for _ in range(100)}) == 100


def test_a_seal_moved_to_another_record_or_changed_does_not_open(path: Path) -> None:
    keyring = Keyring(path)
    sealed = keyring.seal(b"sk-secret", "provider 1")
    key_id, _, body = sealed.partition(".")
    changed = f"{key_id}.{'B' if body[0] == 'A' else 'A'}{body[1:]}"
    for wrong, what in [(sealed, "provider 2"), (changed, "provider 1"), (f"{key_id}.", "provider 1"), ("", "x")]:
        with pytest.raises(SealBroken):
            keyring.open(wrong, what)


def test_a_new_key_seals_and_the_old_one_still_opens_even_where_it_is_not_known_yet(path: Path) -> None:
    running, command = Keyring(path), Keyring(path)
    old = running.seal(b"old", "one")
    key_id = command.add_key()
    new = command.seal(b"new", "one")
    assert new.startswith(key_id)
    assert (command.is_current(old), running.is_current(new)) == (False, True)
    assert (running.open(new, "one"), running.open(old, "one")) == (b"new", b"old")


def test_a_key_that_was_taken_out_of_the_file_is_named(path: Path) -> None:
    sealed = Keyring(path).seal(b"old", "one")
    Keyring(path).add_key()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    with pytest.raises(SealBroken, match=f"the key {sealed[:8]} is not in"):
        Keyring(path).open(sealed, "one")


@pytest.mark.parametrize("content", ["", "nonsense\n", "0123abcd c2hvcnQ=\n", "0123abcd " + "A" * 43 + "=\nmore\n"])
def test_a_file_that_is_no_file_of_keys_is_left_alone_and_told(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(SealBroken, match="is no file of keys"):
        Keyring(path).seal(b"x", "one")
    assert path.read_text() == content
