"""Tokens: what programs show in place of a person's session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.security import hash_secret, new_secret
from opencode.kernel.ids import TokenId, UserId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.identity import policy
from opencode.modules.identity.domain import MAX_TOKENS, Token, name_problem, refuse, scopes_problem, tidy
from opencode.modules.identity.errors import TokenMissing, TooManyTokens
from opencode.modules.identity.service.base import Service


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its secret, which is in no other place."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class OwnedToken:
    token: Token
    owner_name: str | None


class Tokens(Service):
    async def create(
        self, principal: Principal, name: str, scopes: Sequence[str], *, expires_in_days: int, address: str
    ) -> NewToken:
        """
        Raises:
            Unauthenticated, Forbidden: the caller may not make tokens.
            FieldsRefused: the name is not accepted, or a scope is unknown.
            ScopesBeyondReach: the token could do what the caller may not.
            TooManyTokens: the account holds as many as it may.
        """
        principal.require("tokens:manage")
        name = tidy(name)
        kept = tuple(sorted(set(scopes)))
        refuse(name=name_problem(name), scopes=scopes_problem(kept))
        policy.require_within_reach(principal, kept)
        secret = new_secret("oct")
        now = self._now()
        token = Token(
            id=TokenId(new_id("tok")),
            account_id=UserId(principal.id),
            name=name,
            scopes=kept,
            secret_hash=hash_secret(secret),
            created_at=now,
            expires_at=now + timedelta(days=expires_in_days),
        )
        async with self._work() as work:
            if await work.stores.tokens.count(token.account_id) >= MAX_TOKENS:
                raise TooManyTokens(MAX_TOKENS)
            await work.stores.tokens.add(token)
            detail = ", ".join(kept)
            await self._note(
                work.stores, "token.created", actor=principal.id, subject=token.id, address=address, detail=detail
            )
        return NewToken(token, secret)

    async def page(
        self, principal: Principal, page: PageRequest, *, everybody: bool = False, scope: str = ""
    ) -> Page[OwnedToken]:
        """
        The caller's own tokens, the newest first; for administrators also everybody's.

        Args:
            scope: only those that were made with it; empty for all.

        Raises:
            Unauthenticated, Forbidden: the caller may not see tokens, or not those of others.
        """
        principal.require("tokens:manage")
        if everybody:
            policy.require_keeper_of_others(principal)
        whose = None if everybody else principal.id
        async with self._reading() as stores:
            found = await stores.tokens.page(whose, self._now(), page, scope=scope)
            names = await stores.accounts.names(frozenset(token.account_id for token in found.items))
        return Page([OwnedToken(token, names.get(token.account_id)) for token in found.items], found.next_cursor)

    async def revoke(self, principal: Principal, token_id: str, *, address: str) -> None:
        """
        End a token of one's own, or, for administrators who are signed in, of anybody.

        Raises:
            Unauthenticated, Forbidden: the caller may not revoke tokens.
            TokenMissing: the caller has no such token.
        """
        principal.require("tokens:manage")
        if not is_id(token_id, "tok"):
            raise TokenMissing(token_id)
        whose = None if policy.keeps_tokens_of_others(principal) else principal.id
        async with self._work() as work:
            owner = await work.stores.tokens.revoke(token_id, whose)
            if owner is None:
                raise TokenMissing(token_id)
            detail = "" if owner == principal.id else f"of {owner}"
            who = {"actor": principal.id, "subject": token_id, "address": address}
            await self._note(work.stores, "token.revoked", **who, detail=detail)
            work.publish(CredentialsRevoked(principal_id=owner, revoked_at=self._now()))
