"""What an operator may tune about people and sign-in."""

from dataclasses import dataclass, replace

from opencode.infra.settings import SettingsError, setting

_ROLES = ("admin", "interviewer", "moderator", "member")


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """
    Accounts and sign-in. The first account can always be made and is the administrator.

    An account may run programs on this machine. So registration is open only while nobody but this machine reaches the
    server; one that listens to a network, or has a public address, asks for invitations unless the operator says
    otherwise.
    """

    registration: str = setting(
        "auto",
        "who may make an account: open (anyone), invite (with an invitation), closed (nobody); auto is open while the "
        "server listens on a loopback address and has no public_url, else invite",
        choices=("auto", "open", "invite", "closed"),
    )
    default_role: str = setting("interviewer", "role of accounts made without an invitation", choices=_ROLES)
    ai_users: str = setting(
        "interviewers",
        "whose accounts may ask AI models: interviewers (and administrators), or everybody with a role",
        choices=("interviewers", "everybody"),
    )
    admin_email: str = setting("", "e-mail address of an administrator to make at start, if there is none of it yet")
    admin_password: str = setting("", "the first password of that administrator; later changes are kept", secret=True)
    session_days: int = setting(14, "days without a visit after which a sign-in ends", minimum=1, maximum=365)
    sign_in_attempts_per_minute: int = setting(
        10, "attempts to sign in or register, from one address and for one account", minimum=1, maximum=1_000_000
    )
    audit_days: int = setting(365, "days for which the audit trail is kept", minimum=1, maximum=36_500)
    # RFC 9106, section 4: the second recommended option, for machines where 2 GiB a hash is too much.
    password_memory_kib: int = setting(
        65_536, "KiB of memory for hashing one password", minimum=8_192, maximum=4_194_304
    )
    password_passes: int = setting(3, "passes over that memory", minimum=1, maximum=100)
    password_lanes: int = setting(4, "lanes that a hash uses at once", minimum=1, maximum=64)
    password_hashes_at_once: int = setting(2, "passwords hashed at the same time; more wait", minimum=1, maximum=64)

    def resolved(self, *, private: bool) -> "IdentitySettings":
        """With `auto` decided. Args: private: only programs on this machine can reach the server."""
        if self.registration != "auto":
            return self
        return replace(self, registration="open" if private else "invite")

    @property
    def of_every_role(self) -> frozenset[str]:
        """What each role permits on this server beside what it permits everywhere."""
        return frozenset({"ai:use"}) if self.ai_users == "everybody" else frozenset()

    def __post_init__(self) -> None:
        if bool(self.admin_email) != bool(self.admin_password):
            given, missing = (
                ("admin_email", "admin_password") if self.admin_email else ("admin_password", "admin_email")
            )
            raise SettingsError([f"{given} is set without {missing}: an administrator needs both, or leave out both"])
