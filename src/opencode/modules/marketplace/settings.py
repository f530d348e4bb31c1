"""What an operator may tune about the marketplace."""

import re
from dataclasses import dataclass

from opencode.infra.settings import SettingsError, setting, variable_of

_ENTRY = "host or host=address of its API, separated by commas"
_SOURCE = re.compile(r"[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:\s*=\s*https?://[^\s/?#@]+(?:/[^\s?#@]*)?)?")


_ISSUER_ENTRY = "issuer=host=claim, separated by commas; the issuer is an https address"
_ISSUER = re.compile(
    r"(?:https://[A-Za-z0-9.-]{1,253}|http://(?:127\.0\.0\.1|localhost))(?::\d{1,5})?(?:/[\w./-]{0,200})?"
    r"\s*=\s*[A-Za-z0-9.-]{1,253}(?::\d{1,5})?\s*=\s*\w{1,100}"
)

_LONGEST_HOST = 260
_HOST_ENTRY = "a host, such as pictures.example.org"
_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d{1,5})?"
)


@dataclass(frozen=True, slots=True)
class MarketplaceSettings:
    """How much one person, and one import, may put into the marketplace, and how things are paid."""

    projects_per_person: int = setting(
        10_000, "projects that one person may have; imports are not bound by it", minimum=1
    )
    project_writes_per_minute: int = setting(120, "projects that one person may make or change per minute", minimum=1)
    acts_per_minute: int = setting(
        120, "times a minute that one person may follow, review or change a collection", minimum=1
    )
    follows_per_person: int = setting(5_000, "people and projects that one person may follow", minimum=1)
    collections_per_person: int = setting(200, "collections that one person may have", minimum=1)
    previews_per_minute: int = setting(
        240, "texts that one person may have rendered per minute while writing them", minimum=1
    )
    marketplace_image_hosts: tuple[str, ...] = setting(
        (),
        "hosts whose pictures READMEs show, separated by commas; those of others become links",
    )
    release_file_bytes: int = setting(268_435_456, "bytes that one file of a release may have", minimum=1)
    release_project_bytes: int = setting(
        2_147_483_648, "bytes that the files of all releases of one project may have together", minimum=1
    )
    release_server_bytes: int = setting(
        21_474_836_480, "bytes that the files of all releases may have together; they are in the data folder", minimum=0
    )
    drafts_per_minute: int = setting(10, "addresses that one person may have read as drafts per minute", minimum=1)
    suggestions_per_minute: int = setting(
        6, "times per minute that one person may have a model suggest a summary and tags", minimum=1
    )
    marketplace_sources_github: tuple[str, ...] = setting(
        (), f"code hosts with GitHub's API that drafts are read from: {_ENTRY}; otherwise /api/v3 on the host"
    )
    marketplace_sources_pypi: tuple[str, ...] = setting(
        (), f"package indexes with PyPI's JSON API that drafts are read from: {_ENTRY}"
    )
    marketplace_sources_npm: tuple[str, ...] = setting(
        (), f"package registries with npm's API that drafts are read from: {_ENTRY}"
    )
    marketplace_sources_private: bool = setting(
        False, "drafts may be read from hosts in this server's own networks, and at any port"
    )
    import_lines: int = setting(1_000_000, "lines of one import", minimum=1, maximum=1_000_000)
    import_bytes: int = setting(
        2_147_483_648, "bytes of one import; they wait in the folder for temporary files", minimum=1
    )
    marketplace_payments: str = setting(
        "manual",
        "who takes payments: manual (an invoice, marked as paid by hand) or stripe",
        choices=("manual", "stripe"),
    )
    marketplace_fee_basis_points: int = setting(
        0, "the operator's part of each payment, in hundredths of a percent", minimum=0, maximum=10_000
    )
    marketplace_order_hours: int = setting(168, "hours after which an order that nobody paid expires", minimum=1)
    marketplace_licence_checks_per_minute: int = setting(
        60, "licence keys that one network address may ask about per minute", minimum=1
    )
    marketplace_stripe_url: str = setting(
        "", "address of Stripe's API, without a path, when it takes payments", prefixes=("https://", "http://")
    )
    marketplace_stripe_secret_key: str = setting("", "the secret key of Stripe's API", secret=True)
    marketplace_stripe_webhook_secret: str = setting(
        "", "the signing secret of the webhook to /api/v1/payments/stripe/webhook", secret=True
    )
    reports_per_hour: int = setting(20, "reports and appeals that one person may file per hour", minimum=1)
    proof_checks_per_hour: int = setting(
        30, "checks of proofs of ownership that one person may ask for per hour", minimum=1
    )
    marketplace_oidc_issuers: tuple[str, ...] = setting(
        (),
        "issuers whose tokens of CI jobs prove repositories of a host, and the claim that names the repository: "
        f"{_ISSUER_ENTRY}",
    )
    marketplace_oidc_private: bool = setting(False, "issuers may be in this server's own networks, and at any port")
    proof_days: int = setting(7, "days after which a proof of ownership is looked at again", minimum=1)
    proof_grace_days: int = setting(7, "days that a proof still counts after a check has failed", minimum=1)
    similar_popularity: int = setting(
        100, "popularity (3 a star, 1 a download) from which on similar names are pointed out", minimum=1
    )
    marketplace_index: str = setting(
        "embedded",
        "where projects are looked for: embedded, in the memory of each server, or postgres, in the database",
        choices=("embedded", "postgres"),
    )
    marketplace_purge_url: str = setting(
        "",
        "the webhook of a cache in front of the server, which is told what is outdated; over https, or within this "
        "server's own networks",
        prefixes=("https://", "http://"),
    )
    marketplace_purge_token: str = setting("", "the bearer token that the webhook of that cache expects", secret=True)
    catalogue_check_s: int = setting(
        21_600, "seconds between two comparisons of the catalogue's index with the database", minimum=60
    )

    def __post_init__(self) -> None:
        problems = [
            f"{variable_of(name)} has {entry!r}: it must be {_ENTRY}"
            for name in ("marketplace_sources_github", "marketplace_sources_pypi", "marketplace_sources_npm")
            for entry in getattr(self, name)
            if not _SOURCE.fullmatch(entry)
        ]
        problems += [
            f"{variable_of('marketplace_oidc_issuers')} has {entry!r}: it must be {_ISSUER_ENTRY}"
            for entry in self.marketplace_oidc_issuers
            if not _ISSUER.fullmatch(entry)
        ]
        problems += [
            f"{variable_of('marketplace_image_hosts')} has {entry!r}: it must be {_HOST_ENTRY}"
            for entry in self.marketplace_image_hosts
            if len(entry) > _LONGEST_HOST or not _HOST.fullmatch(entry)
        ]
        if problems:
            raise SettingsError(problems)
