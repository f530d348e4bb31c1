"""Signed statements cannot be made or changed by others."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.infra.security import Signer, hash_secret, new_secret, same_secret


class Ticket(msgspec.Struct, frozen=True):
    person: str
    expires_at: int


SIGNER = Signer(b"k" * 32)
TICKET = Ticket("usr_1", 7)


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_a_statement_comes_back_as_it_was_signed(person: str, expires_at: int) -> None:
    ticket = Ticket(person, expires_at)
    assert SIGNER.verify(SIGNER.sign(ticket), Ticket) == ticket


@given(st.data())
def test_a_statement_that_was_touched_anywhere_is_refused(data: st.DataObject) -> None:
    signed = SIGNER.sign(TICKET)
    place = data.draw(st.integers(0, len(signed) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_.=é\0"))
    forged = signed[:place] + letter + signed[place + 1 :]
    verified = SIGNER.verify(forged, Ticket)
    # The last letter of base64 has bits that mean nothing: it may change without changing what is said.
    assert verified is None or (verified == TICKET and (forged == signed or place == len(signed) - 1))


@pytest.mark.parametrize("forged", ["", ".", "..", "x", "a.b", "a.b.c", "🙂.🙂", "=.=", "A" * 10_000])
def test_garbage_is_refused(forged: str) -> None:
    assert SIGNER.verify(forged, Ticket) is None


def test_a_statement_signed_with_another_key_is_refused() -> None:
    assert SIGNER.verify(Signer(b"l" * 32).sign(TICKET), Ticket) is None


def test_a_statement_of_another_kind_is_refused() -> None:
    class Other(msgspec.Struct):
        numbers: list[int]

    assert SIGNER.verify(SIGNER.sign(Other([1])), Ticket) is None


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    first, second = Signer.from_file(path), Signer.from_file(path)
    assert second.verify(first.sign(TICKET), Ticket) == TICKET
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_uid == os.geteuid()
    assert len(path.read_bytes()) == 32


def test_servers_that_start_at_once_on_one_folder_end_up_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    with ThreadPoolExecutor(8) as threads:
        signers = list(threads.map(Signer.from_file, [path] * 8))
    signed = signers[0].sign(TICKET)
    assert all(signer.verify(signed, Ticket) == TICKET for signer in signers)
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing.key"]


def test_secrets_name_their_kind_and_are_kept_as_hashes() -> None:
    secret = new_secret("oct")
    assert secret.startswith("oct_")
    assert len(secret) == 47
    assert new_secret("oct") != secret
    assert len(hash_secret(secret)) == 64
    assert secret not in hash_secret(secret)
    assert same_secret(secret, secret)
    assert not same_secret(secret, "é")
