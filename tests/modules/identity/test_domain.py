"""The rules, without a server."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.kernel.ids import SessionId, UserId
from opencode.modules.identity.domain import (
    GRANTS,
    PERMISSIONS,
    SCOPES,
    Account,
    Role,
    Session,
    email_key,
    email_problem,
    name_problem,
    password_problem,
    permissions_of,
    permissions_within,
    principal_of,
    refuse,
    scopes_problem,
    tidy,
)
from opencode.modules.identity.errors import FieldsRefused

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def account(*roles: Role) -> Account:
    return Account(UserId("usr_1"), "ada@example.org", None, "Ada", frozenset(roles), NOW)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.ADMIN, PERMISSIONS, frozenset[str]()),
        (
            Role.INTERVIEWER,
            {"interviews:create", "interviews:read", "interviews:manage", "runs:create", "tokens:manage"},
            {"users:manage", "audit:read", "invites:create"},
        ),
        (
            Role.MODERATOR,
            GRANTS[Role.MEMBER] | {"projects:moderate"},
            {"projects:manage", "interviews:create", "runs:create", "users:manage"},
        ),
        (
            Role.MEMBER,
            {"account:manage", "tokens:manage"},
            {"interviews:create", "runs:create", "users:manage", "projects:moderate"},
        ),
    ],
)
def test_each_role_permits_what_the_table_says(role: Role, may: frozenset[str], may_not: frozenset[str]) -> None:
    assert may <= GRANTS[role]
    assert not may_not & GRANTS[role]


def test_every_grant_and_every_scope_is_made_of_known_permissions() -> None:
    for granted in (*GRANTS.values(), *SCOPES.values()):
        assert granted <= PERMISSIONS


def test_several_roles_permit_what_any_of_them_does() -> None:
    both = account(Role.MEMBER, Role.INTERVIEWER)
    assert permissions_of(both.roles) == GRANTS[Role.MEMBER] | GRANTS[Role.INTERVIEWER]
    assert permissions_of(account().roles) == frozenset()


@given(st.sets(st.sampled_from(Role)), st.sets(st.sampled_from(sorted(SCOPES))))
def test_a_token_never_permits_more_than_its_account(roles: set[Role], scopes: set[str]) -> None:
    holder = account(*roles)
    narrowed = principal_of(holder, "tok_1", scopes).permissions
    assert narrowed <= permissions_of(holder.roles)
    assert narrowed == permissions_within(permissions_of(holder.roles), scopes)


def test_a_scope_of_an_older_version_lets_nothing_through() -> None:
    assert permissions_within(PERMISSIONS, ("retired:scope",)) == frozenset()


@pytest.mark.parametrize("email", ["ada@example.org", "a@localhost", "zoë@exämple.org", "o'hara+x@mail.example.org"])
def test_an_address_that_mail_could_reach_is_accepted(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.org", "ada@", "a@b@c", "a b@c.org", "ada@exam\nple.org", "a\0@c.org", "a\u200b@c.org"],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert email_problem(email)


def test_an_address_longer_than_mail_allows_is_refused() -> None:
    assert email_problem("x" * 65 + "@example.org")
    assert email_problem("ada@" + "x" * 255)


@given(st.emails())
def test_capitals_and_composition_make_no_other_address(email: str) -> None:
    assert email_key(email) == email_key(email.upper().lower()) == email_key(f" {email}\n")


@pytest.mark.parametrize("name", ["Ada", "李", "Zoë O’Hara", "می‌خواهم", "🙂", "x" * 80])
def test_names_of_all_the_world_are_accepted(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", "x" * 81, "a\nb", "a\0b", "\x1b[31mred", "abc\u202egnp", "\u200d", "a\u2028b"])
def test_names_that_disturb_the_text_around_them_are_refused(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("password", ["correct horse battery", "pässwörter!", "x1y" * 4, "aB3$" * 32])
def test_a_password_of_10_to_128_characters_is_accepted(password: str) -> None:
    assert password_problem(password, "ada@example.org") is None


@pytest.mark.parametrize(
    "password",
    ["", "short", "x" * 129, "Password123", "1234567890", "aaaaaaaaaaaa", "ADA.LOVELACE@example.org", "ada.lovelace"],
)
def test_a_password_that_anybody_would_guess_is_refused(password: str) -> None:
    assert password_problem(password, "ada.lovelace@example.org")


def test_unknown_scopes_are_all_named() -> None:
    problem = scopes_problem(["run", "fly", "swim"])
    assert problem
    assert "'fly', 'swim'" in problem
    assert scopes_problem(SCOPES) is None


def test_all_wrong_fields_are_refused_together() -> None:
    refuse(email=None, password=None)
    with pytest.raises(FieldsRefused) as refused:
        refuse(email="is odd", name=None, password="is short")
    assert [problem.pointer for problem in refused.value.problems] == ["/email", "/password"]


@given(st.text())
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


def test_a_session_is_pushed_ahead_at_most_once_an_hour() -> None:
    session = Session(SessionId("ses_1"), UserId("usr_1"), "hash", NOW, NOW + timedelta(days=14))
    assert session.touch(NOW + timedelta(minutes=59), timedelta(days=14)) is None
    touched = session.touch(NOW + timedelta(minutes=60), timedelta(days=14))
    assert touched
    assert touched.expires_at == NOW + timedelta(minutes=60, days=14)
