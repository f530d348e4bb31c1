"""HTTP in: sign-in, one's own account, tokens; and for administrators invitations, accounts and the trail."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UnsetType

from opencode.infra.http import SESSION_COOKIE, PageView, refuse_other_sites
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.identity.domain import Account
from opencode.modules.identity.schemas import (
    AuditEntryView,
    CreateInviteBody,
    CreateTokenBody,
    InviteView,
    NewTokenView,
    RegisterBody,
    RegistrationPolicyView,
    SessionView,
    SetupBody,
    SignInBody,
    TokenView,
    UpdateMeBody,
    UpdateUserBody,
    UserView,
)
from opencode.modules.identity.service import (
    Accounts,
    Changes,
    Invites,
    Newcomer,
    Sessions,
    Setup,
    SignedIn,
    Tokens,
    Trail,
)
from opencode.modules.identity.settings import IdentitySettings

T = TypeVar("T")
V = TypeVar("V")

TokenPath = Annotated[str, PathParameter(description="`tok_…`")]
UserPath = Annotated[str, PathParameter(description="`usr_…`")]

# The most that browsers keep one (RFC 6265bis, section 5.5). When a session ends is the server's business: it pushes
# the end ahead with each visit, and need not send the cookie again for that.
_COOKIE_AGE_S = 400 * 86_400


class SessionCookies:
    """The cookie that carries a session. JavaScript cannot read it, and other sites' requests do not bring it."""

    def __init__(self, public_url: Callable[[], str]) -> None:
        self._public_url = public_url

    def give(self, secret: str) -> Cookie:
        return self._cookie(secret, _COOKIE_AGE_S)

    def take_back(self) -> Cookie:
        return self._cookie("", 0)

    def _cookie(self, value: str, age_s: int) -> Cookie:
        secure = self._public_url().startswith("https://")
        return Cookie(
            key=SESSION_COOKIE, value=value, path="/", max_age=age_s, httponly=True, samesite="lax", secure=secure
        )


class UserViews:
    """Accounts as they are shown. Args: of_every_role: what each role permits on this server beside the usual."""

    def __init__(self, of_every_role: frozenset[str]) -> None:
        self._of_every_role = of_every_role

    def of(self, account: Account) -> UserView:
        return UserView.of(account, self._of_every_role)


class AuthController(Controller):
    path = "/auth"
    before_request = refuse_other_sites

    @get("/policy", operation_id="get_registration_policy", summary="Who may register here")
    async def policy(
        self, accounts: NamedDependency[Accounts], identity_settings: NamedDependency[IdentitySettings]
    ) -> RegistrationPolicyView:
        """`open`: anyone; `invite`: with an invitation; `closed`: nobody. The first account can always be made."""
        registration: Any = identity_settings.registration
        return RegistrationPolicyView(registration=registration, first_account=await accounts.is_first())

    @get("/session", operation_id="get_session", summary="Who is signed in at this browser")
    async def session(
        self,
        principal: NamedDependency[Principal],
        accounts: NamedDependency[Accounts],
        user_views: NamedDependency[UserViews],
    ) -> SessionView:
        """For pages that are open to everybody: where nobody is signed in, that is an answer and not an error."""
        return SessionView(user_views.of(await accounts.me(principal)) if principal.is_user else None)

    @post("/register", operation_id="register_user", summary="Make an account and sign in")
    async def register(
        self,
        data: JSONBody[RegisterBody],
        address: NamedDependency[str],
        accounts: NamedDependency[Accounts],
        session_cookies: NamedDependency[SessionCookies],
        user_views: NamedDependency[UserViews],
    ) -> Response[UserView]:
        """The first account is the administrator. Answers the account and sets the session cookie."""
        newcomer = Newcomer(data.email, data.password, data.display_name, data.invite)
        return _signed_in(
            await accounts.register(newcomer, address=address), user_views, session_cookies, status_code=201
        )

    @post("/login", status_code=200, operation_id="sign_in", summary="Sign in")
    async def sign_in(
        self,
        data: JSONBody[SignInBody],
        request: Request[Any, Any, Any],
        address: NamedDependency[str],
        sessions: NamedDependency[Sessions],
        session_cookies: NamedDependency[SessionCookies],
        user_views: NamedDependency[UserViews],
    ) -> Response[UserView]:
        """
        Answers the account and sets the session cookie. 401 does not tell whether the account exists; 429 after too
        many attempts from one address or for one account.
        """
        replaces = request.cookies.get(SESSION_COOKIE)
        signed_in = await sessions.sign_in(data.email, data.password, address=address, replaces=replaces)
        return _signed_in(signed_in, user_views, session_cookies)

    @post("/logout", status_code=204, operation_id="sign_out", summary="Sign out")
    async def sign_out(
        self,
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        sessions: NamedDependency[Sessions],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        """Ends the session of the cookie. A session that has ended already is signed out of as well."""
        stale = not principal.is_user and SESSION_COOKIE in request.cookies
        if not stale:
            await sessions.sign_out(principal, address=address)
        return Response(None, status_code=204, cookies=[session_cookies.take_back()])

    @post("/setup", status_code=200, operation_id="use_setup_link", summary="Become the administrator")
    async def use_setup_link(
        self,
        data: JSONBody[SetupBody],
        address: NamedDependency[str],
        setup: NamedDependency[Setup],
        session_cookies: NamedDependency[SessionCookies],
        user_views: NamedDependency[UserViews],
    ) -> Response[UserView]:
        """
        For the one-time link that the first start prints. Makes the administrator, who then chooses an address and a
        password with `PATCH /api/v1/me`.
        """
        return _signed_in(await setup.use_link(data.token, address=address), user_views, session_cookies)


class MeController(Controller):
    path = "/me"

    @get("/", operation_id="get_me", summary="Who am I")
    async def me(
        self,
        principal: NamedDependency[Principal],
        accounts: NamedDependency[Accounts],
        user_views: NamedDependency[UserViews],
    ) -> UserView:
        """The account of the caller, with its roles and all that they permit."""
        return user_views.of(await accounts.me(principal))

    @patch("/", operation_id="update_me", summary="Change my name, address or password")
    async def change_me(
        self,
        data: JSONBody[UpdateMeBody],
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        accounts: NamedDependency[Accounts],
        user_views: NamedDependency[UserViews],
    ) -> UserView:
        """
        Only the fields that are sent change. The address and the password need `current_password`, unless there is no
        password yet. A new password ends all other sessions.
        """
        changes = Changes(
            display_name=_given(data.display_name),
            email=_given(data.email),
            new_password=_given(data.new_password),
            current_password=_given(data.current_password),
        )
        return user_views.of(await accounts.change_me(principal, changes, address=address))


class TokenController(Controller):
    path = "/tokens"

    @post("/", operation_id="create_token", summary="Make a token for a program")
    async def create(
        self,
        data: JSONBody[CreateTokenBody],
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        tokens: NamedDependency[Tokens],
    ) -> NewTokenView:
        """The answer is the only place where the secret is ever shown. A token cannot reach further than its maker."""
        new = await tokens.create(
            principal, data.name, data.scopes, expires_in_days=data.expires_in_days, address=address
        )
        return NewTokenView.of(new)

    @get("/", operation_id="list_tokens", summary="My tokens")
    async def page(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        tokens: NamedDependency[Tokens],
        *,
        everybody: Annotated[
            bool, QueryParameter(description="for administrators who are signed in: those of all accounts")
        ] = False,
        with_scope: Annotated[
            str, QueryParameter(name="scope", max_length=100, description="only those with this scope")
        ] = "",
    ) -> PageView[TokenView]:
        """Those that have not expired, the newest first, without their secrets."""
        return _page(await tokens.page(principal, page, everybody=everybody, scope=with_scope), TokenView.of)

    @delete("/{token_id:str}", operation_id="revoke_token", summary="Revoke a token")
    async def revoke(
        self,
        token_id: TokenPath,
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        tokens: NamedDependency[Tokens],
    ) -> None:
        """It stops working at once. Administrators who are signed in revoke anybody's."""
        await tokens.revoke(principal, token_id, address=address)


class AdministrationController(Controller):
    @post("/invites", operation_id="create_invite", summary="Invite somebody")
    async def invite(
        self,
        data: JSONBody[CreateInviteBody],
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        invites: NamedDependency[Invites],
    ) -> InviteView:
        """Makes the leave to register one account of a role. The secret is shown this once."""
        new = await invites.invite(principal, data.role, expires_in_days=data.expires_in_days, address=address)
        return InviteView.of(new)

    @get("/users", operation_id="list_users", summary="All accounts")
    async def users(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        accounts: NamedDependency[Accounts],
        user_views: NamedDependency[UserViews],
    ) -> PageView[UserView]:
        """The newest first."""
        return _page(await accounts.page(principal, page), user_views.of)

    @patch("/users/{user_id:str}/roles", operation_id="update_user", summary="Give an account other roles")
    async def set_roles(
        self,
        user_id: UserPath,
        data: JSONBody[UpdateUserBody],
        principal: NamedDependency[Principal],
        address: NamedDependency[str],
        accounts: NamedDependency[Accounts],
        user_views: NamedDependency[UserViews],
    ) -> UserView:
        """In force from the account's next request on. The last administrator stays one."""
        return user_views.of(await accounts.set_roles(principal, user_id, data.roles, address=address))

    @get("/audit", operation_id="list_audit_entries", summary="The trail of security events")
    async def audit(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        trail: NamedDependency[Trail],
        user_views: NamedDependency[UserViews],
    ) -> PageView[AuditEntryView]:
        """Sign-ins, failed ones too, and every change of accounts and credentials, the newest first."""
        return _page(await trail.page(principal, page), AuditEntryView.of)


def _signed_in(
    signed_in: SignedIn, user_views: UserViews, cookies: SessionCookies, status_code: int = 200
) -> Response[UserView]:
    view = user_views.of(signed_in.account)
    return Response(view, status_code=status_code, cookies=[cookies.give(signed_in.secret)])


def _page(page: Page[T], view: Callable[[T], V]) -> PageView[V]:
    return PageView([view(item) for item in page.items], page.next_cursor)


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
