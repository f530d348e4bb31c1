"""What can go wrong with accounts and credentials."""

from opencode.kernel.errors import Busy, Conflict, FieldProblem, Forbidden, Invalid, NotFound, Unauthenticated


class SignInFailed(Unauthenticated):
    """The same words whether the account is missing or the password is wrong: they must not tell which."""

    title = "Sign-in failed"

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address and the password do not belong together.",
            action="Check both; capital and small letters of the password differ.",
        )


class TokenNotGood(Unauthenticated):
    """A bearer token that opens nothing."""

    title = "The token is not good"

    def __init__(self) -> None:
        super().__init__(
            "The bearer token is wrong, expired or revoked.",
            action="Make a new one with POST /api/v1/tokens, or join again.",
        )


class TooManyAttempts(Busy):
    """Signing in, registering or opening the setup link was tried too often."""

    title = "Too many attempts"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "There were too many attempts in a short time.",
            action=f"Wait {retry_after_s} seconds, then try again.",
            retry_after_s=retry_after_s,
        )


class TooManyAtOnce(Busy):
    """More passwords wait to be checked than this server wants to hold."""

    title = "Too many sign-ins at once"

    def __init__(self) -> None:
        super().__init__("Many people are signing in right now.", action="Try again in a moment.", retry_after_s=2)


class FieldsRefused(Invalid):
    """Fields of the right type that break a rule; all of them are named."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        listed = "; ".join(f"{problem.pointer.lstrip('/')} {problem.detail}" for problem in problems)
        super().__init__(f"Not accepted: {listed}.", action="Correct what errors lists.", problems=problems)


class EmailTaken(Conflict):
    """There is an account with this address."""

    title = "The e-mail address is taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address.", action="Sign in, or use another address.")


class RegistrationClosed(Forbidden):
    """This server makes no accounts for newcomers."""

    title = "Registration is closed"

    def __init__(self) -> None:
        super().__init__(
            "This server does not take new accounts.",
            action="Ask an administrator of this server to open registration.",
        )


class InviteNeeded(Forbidden):
    """Accounts are made by invitation only."""

    title = "An invitation is needed"

    def __init__(self) -> None:
        super().__init__(
            "This server takes new accounts by invitation only.",
            action="Ask an administrator of this server for an invitation, and open its link.",
        )


class InviteNotGood(Invalid):
    """The invitation was used, has expired, or never was."""

    title = "The invitation is not good"

    def __init__(self) -> None:
        super().__init__(
            "The invitation was used already, has expired, or is not one of this server.",
            action="Ask an administrator of this server for a new one.",
            problems=(FieldProblem("/invite", "is not an open invitation"),),
        )


class SetupLinkDead(Unauthenticated):
    """The one-time link of the first start no longer works."""

    title = "The setup link does not work any more"

    def __init__(self) -> None:
        super().__init__(
            "The setup link was used, has expired, or is older than the last start; or there is an account already.",
            action="Sign in. If nobody can, restart the server: it prints a new link while there is no account.",
        )


class PasswordWrong(Invalid):
    """The current password, asked for again before a change, is not right."""

    title = "The current password is not right"

    def __init__(self) -> None:
        super().__init__(
            "Changing the e-mail address or the password needs your current password, and this is not it.",
            action="Give your current password.",
            problems=(FieldProblem("/current_password", "is not your current password"),),
        )


class LastAdministrator(Conflict):
    """A server without an administrator could never have one again."""

    title = "The last administrator"

    def __init__(self) -> None:
        super().__init__(
            "This is the only administrator of this server.", action="Make somebody else an administrator first."
        )


class NotASession(Conflict):
    """Signing out ends a session, and this call came with a token."""

    title = "Not a session"

    def __init__(self) -> None:
        super().__init__("This call came with a token, not with a session.", action="Use DELETE /api/v1/tokens/{id}.")


class TooManyTokens(Conflict):
    """One account holds as many tokens as it may."""

    title = "Too many tokens"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} tokens, which is the most.", action="Revoke one that you no longer use.")


class ScopesBeyondReach(Forbidden):
    """A token may never do more than whoever makes it."""

    title = "The token would reach too far"

    def __init__(self, scopes: list[str]) -> None:
        super().__init__(
            f"You may not do yourself what this token would: {', '.join(scopes)}.",
            action="Leave these scopes out, or ask an administrator of this server for a role that has them.",
        )


class TokenMissing(NotFound):
    """There is no such token, or it is somebody else's."""

    title = "No such token"

    def __init__(self, token_id: str) -> None:
        super().__init__(f"You have no token {token_id}.", action="GET /api/v1/tokens lists yours.")


class AccountMissing(NotFound):
    """There is no such account."""

    title = "No such account"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"There is no account {user_id}.", action="GET /api/v1/users lists them.")
