"""Repositories on the web: what an address names, and where its files are to be read and to be had."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote, urlsplit

DEFAULT_BRANCH = "HEAD"
"""What GitHub and GitLab take for the default branch, whatever its name."""

_LONGEST = 500
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SSH = re.compile(r"(?:ssh://)?git@([A-Za-z0-9.-]+)(?::\d+/|[:/])(.+)")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}")


class Forge(StrEnum):
    """What kind of server holds a repository; each lays out its addresses in its own way."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    """Forgejo, too, and so Codeberg."""


_HOSTS = {
    "github.com": Forge.GITHUB,
    "gitlab.com": Forge.GITLAB,
    "codeberg.org": Forge.GITEA,
    "gitea.com": Forge.GITEA,
}
_FIRST_LABELS = {"gitlab": Forge.GITLAB, "gitea": Forge.GITEA, "forgejo": Forge.GITEA}


@dataclass(frozen=True, slots=True)
class Repository:
    """
    A repository, at one state.

    Attributes:
        path: owner and name; on GitLab groups may stand between them.
        ref: a branch, a tag or a whole commit.
    """

    forge: Forge
    host: str
    path: str
    ref: str = DEFAULT_BRANCH

    @property
    def owner(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.path}"

    def at(self, ref: str) -> "Repository":
        """The same at another state. What cannot be the name of one stands for the default branch."""
        return replace(self, ref=ref if _REF.fullmatch(ref) and ".." not in ref else DEFAULT_BRANCH)

    def page_of(self, file: str) -> str:
        """Where people read a file or look into a folder."""
        file = _quoted(file)
        if self.forge is Forge.GITHUB:
            return f"{self.url}/blob/{self.ref}/{file}"
        if self.forge is Forge.GITLAB:
            return f"{self.url}/-/blob/{self.ref}/{file}"
        return f"{self.url}/src/{self._gitea_ref}{file}"

    def raw_of(self, file: str) -> str:
        """Where a file itself is had, as a picture or by a program."""
        file = _quoted(file)
        if self.forge is Forge.GITHUB:
            return f"https://raw.githubusercontent.com/{self.path}/{self.ref}/{file}"
        if self.forge is Forge.GITLAB:
            return f"{self.url}/-/raw/{self.ref}/{file}"
        if self.ref == DEFAULT_BRANCH:  # Gitea has no name for it; its API takes none for it
            return f"https://{self.host}/api/v1/repos/{self.path}/raw/{file}"
        return f"{self.url}/raw/{self._gitea_ref}{file}"

    @property
    def _gitea_ref(self) -> str:
        if self.ref == DEFAULT_BRANCH:
            return ""
        return f"commit/{self.ref}/" if _COMMIT.fullmatch(self.ref) else f"branch/{self.ref}/"


def repository_of(url: str) -> Repository | None:
    """
    The repository that an address names: of its page or a page below it, as `git clone` takes it, over SSH, or in
    npm's short form (`github:owner/name`). None when it names none on a server of a known kind.
    """
    host, path = _host_and_path(url.strip()[:_LONGEST])
    forge = _HOSTS.get(host) or _FIRST_LABELS.get(host.partition(".")[0] if host.count(".") >= 2 else "")
    if forge is None:
        return None
    below = path.partition("/-/")[0] if forge is Forge.GITLAB else "/".join(path.split("/")[:2])
    parts = below.removesuffix("/").removesuffix(".git").split("/")
    if not 2 <= len(parts) <= 20 or not all(_PART.fullmatch(part) for part in parts):
        return None
    return Repository(forge, host, "/".join(parts))


def _host_and_path(url: str) -> tuple[str, str]:
    if ssh := _SSH.fullmatch(url):
        return ssh[1].lower(), ssh[2].strip("/")
    for short, host in (("github:", "github.com"), ("gitlab:", "gitlab.com")):
        if url.startswith(short):
            return host, url.removeprefix(short).partition("#")[0]
    url = url.removeprefix("git+")
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = (parts.hostname or "").removeprefix("www.")
        is_usual = parts.port in (None, 80, 443)
    except ValueError:
        return "", ""
    is_web = parts.scheme in ("https", "http", "git", "ssh") and is_usual
    return (host, parts.path.strip("/")) if is_web and re.fullmatch(r"[a-z0-9.-]+", host) else ("", "")


def _quoted(file: str) -> str:
    return quote(file.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")
