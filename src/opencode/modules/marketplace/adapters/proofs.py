"""
Proof that a repository or a domain is somebody's, without a human to wait for: who can put a token there owns it.

The token is made from project and owner, so it need not be kept, and it proves nothing for anybody else.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from opencode.infra.fetching import Fetcher, FetchRefused
from opencode.kernel.errors import Invalid
from opencode.kernel.ids import ProjectId, UserId
from opencode.modules.marketplace.adapters.dns import TxtResolver, domain_of
from opencode.modules.marketplace.domain.repositories import repository_of

FILE = "opencode.txt"
WELL_KNOWN = f".well-known/{FILE}"
RECORD = "opencode-verify="

_MOST_BYTES = 16 * 1024
_ABSENT = frozenset({404, 410})
_TOKEN_PREFIX = "ocv_"  # noqa: S105 what scanners and people know it by; the token itself is no secret
_PURPOSE = b"opencode marketplace ownership v1\0"


class RepositoryUnknown(Invalid):
    """An address names no repository on a server of a known kind."""

    title = "This is no known repository"


def token_of(key: bytes, project_id: ProjectId, owner_id: UserId) -> str:
    """
    What an owner puts where only they can: 32 letters after a prefix, of HMAC-SHA-256.

    Args:
        key: the server's, 32 random bytes. Without it nobody makes tokens for other people's projects.
    """
    # Ids have no zero bytes: two pairs never become one text.
    text = _PURPOSE + f"{project_id}\0{owner_id}".encode()
    digest = hmac.digest(key, text, hashlib.sha256)
    return _TOKEN_PREFIX + base64.b32encode(digest[:20]).decode().lower()


@dataclass(frozen=True, slots=True)
class Proofs:
    """
    Looks for tokens.

    Args:
        site: where the web site of a domain is. Only over https does a file prove who runs it.
    """

    fetcher: Fetcher
    resolver: TxtResolver
    site: str = "https://{domain}"

    async def repository_has(self, url: str, token: str) -> bool:
        """
        Is the token in `opencode.txt` or `.well-known/opencode.txt` of the repository's default branch?

        Raises:
            RepositoryUnknown, FetchFailed
        """
        repository = repository_of(url)
        if repository is None:
            raise RepositoryUnknown(
                f"{url[:100]!a} is no repository on GitHub, GitLab, Codeberg, Gitea or Forgejo.",
                action="Give the address of its page, or prove your domain.",
            )
        return await self.file_has([repository.raw_of(name) for name in (FILE, WELL_KNOWN)], token)

    async def site_has(self, domain: str, token: str) -> bool:
        """
        Is the token in `.well-known/opencode.txt` of the domain's web site?

        Raises:
            DomainInvalid, FetchFailed
        """
        return await self.file_has([f"{self.site.format(domain=domain_of(domain))}/{WELL_KNOWN}"], token)

    async def domain_has(self, domain: str, token: str) -> bool:
        """
        Has the domain a TXT record `opencode-verify=<token>`?

        Raises:
            DomainInvalid, DnsUnavailable
        """
        texts = await self.resolver.texts(domain)
        return any(_same(text.strip().removeprefix(RECORD), token) for text in texts if text.startswith(RECORD))

    async def file_has(self, urls: list[str], token: str) -> bool:
        """Is the token a line of one of these files? One that is not there has it not."""
        for url in urls:
            try:
                answer = await self.fetcher.get(url, most_bytes=_MOST_BYTES)
            except FetchRefused as refusal:
                if refusal.status in _ABSENT:
                    continue
                raise
            # A host that sends people elsewhere does not vouch for what they find there.
            is_there = urlsplit(answer.url).netloc == urlsplit(url).netloc
            lines = answer.body.decode("utf-8-sig", errors="replace").splitlines()
            if is_there and any(_same(line.strip(), token) for line in lines):
                return True
        return False


def _same(text: str, token: str) -> bool:
    return hmac.compare_digest(text.encode(errors="replace"), token.encode())
