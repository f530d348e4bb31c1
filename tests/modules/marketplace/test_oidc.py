"""A job of CI proves its repository with the token that its issuer gives it; a real issuer on loopback."""

import base64
import hmac
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from opencode.infra.settings import SettingsError
from opencode.kernel.clock import ManualClock
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.modules.marketplace.conftest import PROJECTS, Json, Market, Person
from tests.modules.marketplace.test_orders import kind_of
from tests.web_server import WebServer, answer_of, serving

PATH = f"{PROJECTS}/ada.engine"
PROOFS = f"{PATH}/proofs"
DISCOVERY = "/.well-known/openid-configuration"
RSA = RSAKey.generate_key(2048, {"kid": "one"})
EC = ECKey.generate_key("P-256", {"kid": "two"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass(slots=True)
class Issuing:
    """An issuer of tokens."""

    web: WebServer
    clock: ManualClock
    number: int = 0
    keys: list[dict[str, Any]] = field(default_factory=lambda: [RSA.as_dict(private=False), EC.as_dict(private=False)])

    def publish(self) -> None:
        discovery = {"issuer": self.web.url, "jwks_uri": f"{self.web.url}/keys"}
        self.web.says[DISCOVERY] = answer_of(json.dumps(discovery).encode())
        self.web.says["/keys"] = answer_of(json.dumps({"keys": self.keys}).encode())

    def claims(self, audience: str, **changed: Any) -> Json:
        now = int(self.clock.now().timestamp())
        self.number += 1
        said: Json = {"iss": self.web.url, "aud": audience, "jti": f"job-{self.number}", "repository": "Ada/engine"}
        said |= {"iat": now, "nbf": now, "exp": now + 300, **changed}
        return {name: value for name, value in said.items() if value is not None}

    def token(self, audience: str, key: Any = RSA, alg: str = "RS256", kid: str | None = None, **changed: Any) -> str:
        header = {"alg": alg, "kid": kid or key.kid}
        return jwt.encode(header, self.claims(audience, **changed), key, algorithms=[alg])


@pytest.fixture
async def issuing(clock: ManualClock) -> AsyncGenerator[Issuing]:
    async with serving() as web:
        issuing = Issuing(web, clock)
        issuing.publish()
        yield issuing


@pytest.fixture
def settings(issuing: Issuing) -> MarketplaceSettings:
    return MarketplaceSettings(
        project_writes_per_minute=100_000,
        proof_checks_per_hour=1_000,
        proof_days=7,
        proof_grace_days=3,
        marketplace_oidc_issuers=(f"{issuing.web.url}=git.example.org=repository",),
        marketplace_oidc_private=True,
    )


@dataclass(slots=True)
class Begun:
    market: Market
    ada: Person
    proof: Json

    @property
    def audience(self) -> str:
        return self.proof["token"]

    async def send(self, token: str, path: str = "") -> httpx.Response:
        """As a job does: without an account."""
        path = path or f"{PROOFS}/{self.proof['id']}/token"
        return await self.market.nobody().post(path, {"token": token})


@pytest.fixture
async def begun(market: Market) -> Begun:
    ada = market.member("Ada")
    await ada.create("Engine", repository_url="https://git.example.org/ada/Engine")
    answer = await ada.post(PROOFS, {"method": "oidc"})
    assert answer.status_code == 201, answer.text
    # The large hosts of repositories take no notice of case; this one does.
    await ada.patch(PATH, {"repository_url": "https://git.example.org/Ada/engine"})
    answer = await ada.post(PROOFS, {"method": "oidc"})
    return Begun(market, ada, answer.json())


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
async def test_a_job_of_the_repository_proves_it(begun: Begun, issuing: Issuing, key: Any, alg: str) -> None:
    assert f"POST {PATH}/proofs/<id>/token" in begun.proof["todo"]
    assert (await begun.ada.post(f"{PROOFS}/{begun.proof['id']}/check")).json()["state"] == "pending"
    sent = await begun.send(issuing.token(begun.audience, key, alg))
    assert (sent.status_code, sent.json()["state"]) == (200, "verified"), sent.text
    assert (await begun.market.nobody().get(PATH)).json()["verified"]["method"] == "oidc"


async def test_a_token_is_good_once(begun: Begun, issuing: Issuing) -> None:
    token = issuing.token(begun.audience)
    assert (await begun.send(token)).status_code == 200
    again = await begun.send(token)
    assert kind_of(again) == (400, "token-refused")
    assert "used before" in again.json()["detail"]
    # The same bytes of a signature can be written in several ways.
    assert (await begun.send(f"{token}=")).status_code == 400
    assert (await begun.send(issuing.token(begun.audience, jti=f"job-{issuing.number}"))).status_code == 400


def _segment(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_what_is_not_the_token_of_a_job_of_the_repository_proves_nothing(begun: Begun, issuing: Issuing) -> None:
    audience, now = begun.audience, int(issuing.clock.now().timestamp())
    good = issuing.token(audience)
    body = _segment(issuing.claims(audience))
    head = f"{_segment({'alg': 'HS256', 'kid': 'one'})}.{body}"
    mac = hmac.digest(RSA.as_pem(private=False), head.encode(), "sha256")
    confused = f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.warns(SecurityWarning):  # the library's word to an issuer, who may make what no server believes
        short = RSAKey.generate_key(1024, {"kid": "short"})
    issuing.keys.append(short.as_dict(private=False))
    issuing.publish()
    attacks = {
        "none": f"{_segment({'alg': 'none', 'kid': 'one'})}.{body}.",
        "nOnE": f"{_segment({'alg': 'nOnE', 'kid': 'one'})}.{body}.",
        "HS256 with the public key": confused,
        "RS256 said of an EC key": f"{_segment({'alg': 'RS256', 'kid': 'two'})}.{body}.{good.rpartition('.')[2]}",
        "own key in the header": issuing.token(audience, STRANGER),
        "no signature": f"{good.rpartition('.')[0]}.",
        "other claims": f"{good.split('.')[0]}.{body}.{good.split('.')[2]}",
        "short key": issuing.token(audience, short),
        "unknown key": issuing.token(audience, RSA, kid="three"),
        "other audience": issuing.token("ocv_other"),
        "one audience more": issuing.token(audience, aud=[audience, "other"]),
        "no audience": issuing.token(audience, aud=None),
        "other issuer": issuing.token(audience, iss="https://issuer.example.org"),
        "no issuer": issuing.token(audience, iss=None),
        "expired": issuing.token(audience, exp=now - 61),
        "no end": issuing.token(audience, exp=None),
        "end is no number": issuing.token(audience, exp=True),
        "not yet": issuing.token(audience, nbf=now + 120),
        "made tomorrow": issuing.token(audience, iat=now + 86_400),
        "too old": issuing.token(audience, iat=now - 3_700),
        "no id": issuing.token(audience, jti=None),
        "other repository": issuing.token(audience, repository="grace/engine"),
        "other case": issuing.token(audience, repository="ada/engine"),
        "out of the path": issuing.token(audience, repository="grace/../Ada/engine"),
        "a list": issuing.token(audience, repository=["Ada/engine"]),
        "no repository": issuing.token(audience, repository=None),
        "encrypted": f"{good}.x.y",
        "no token": "x",
        "letters": "ä.ö.ü",
        "deep": f"{_segment({'alg': 'RS256', 'kid': 'one'})}.{base64.urlsafe_b64encode(b'[' * 9_000).decode()}.x",
        "huge": "a" * 16_385,
        "critical": f"{_segment({'alg': 'RS256', 'kid': 'one', 'crit': ['b64'], 'b64': False})}.{body}.x",
    }
    for name, token in attacks.items():
        refused = await begun.send(token)
        assert refused.status_code == 400, (name, refused.text)
    proof = (await begun.ada.get(PROOFS)).json()["items"][0]
    assert proof["state"] == "pending"
    assert (await begun.send(good)).status_code == 200


async def test_a_token_for_one_project_proves_no_other(begun: Begun, issuing: Issuing) -> None:
    grace = begun.market.member("Grace")
    await grace.create("Engine", repository_url="https://git.example.org/Ada/engine")
    hers = (await grace.post(f"{PROJECTS}/grace.engine/proofs", {"method": "oidc"})).json()
    token = issuing.token(begun.audience)
    assert (await begun.send(token, f"{PROJECTS}/grace.engine/proofs/{hers['id']}/token")).status_code == 400
    assert (await begun.send(token, f"{PROJECTS}/grace.engine/proofs/{begun.proof['id']}/token")).status_code == 404
    assert (await begun.send(token)).status_code == 200


async def test_nobody_learns_from_a_token_whether_there_is_a_draft(begun: Begun, issuing: Issuing) -> None:
    await begun.ada.create("Secret", status="draft")
    token = issuing.token(begun.audience)
    answers = [await begun.send(token, f"{PROJECTS}/ada.{name}/proofs/prf_x/token") for name in ("secret", "nothing")]
    assert {kind_of(answer) for answer in answers} == {(404, "proof-not-found")}
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_keys_are_asked_for_once_an_hour_and_new_ones_at_most_once_a_minute(
    begun: Begun, issuing: Issuing, clock: ManualClock
) -> None:
    for _ in range(3):
        assert (await begun.send(issuing.token(begun.audience))).status_code == 200
    for _ in range(3):
        assert (await begun.send(issuing.token(begun.audience, kid="new"))).status_code == 400
    assert len(issuing.web.got) == 2
    issuing.keys.append({**RSA.as_dict(private=False), "kid": "new"})
    issuing.publish()
    clock.advance(61)
    assert (await begun.send(issuing.token(begun.audience, kid="new"))).status_code == 200
    assert len(issuing.web.got) == 4


@pytest.mark.parametrize(
    "said",
    [
        b"<html>",
        b'{"issuer": "https://other.example.org", "jwks_uri": "http://127.0.0.1/keys"}',
        b'{"issuer": "URL", "jwks_uri": "http://keys.example.org/keys"}',
        b'{"issuer": "URL", "jwks_uri": "file:///etc/passwd"}',
    ],
)
async def test_an_issuer_that_is_not_understood_proves_nothing(begun: Begun, issuing: Issuing, said: bytes) -> None:
    issuing.web.says[DISCOVERY] = answer_of(said.replace(b"URL", issuing.web.url.encode()))
    assert kind_of(await begun.send(issuing.token(begun.audience))) == (503, "issuer-not-understood")
    issuing.publish()
    assert (await begun.send(issuing.token(begun.audience))).status_code == 200


async def test_a_proof_by_a_job_needs_a_new_token_each_week(begun: Begun, issuing: Issuing, clock: ManualClock) -> None:
    await begun.send(issuing.token(begun.audience))
    clock.advance(7 * 86_400 + 1)
    await begun.market.module.proving.check_due()
    listed = (await begun.ada.get(PROOFS)).json()
    assert listed["methods"] == ["file", "dns", "oidc"]
    proof = listed["items"][0]
    assert (proof["state"], proof["message"].startswith("No job has sent a new token.")) == ("failing", True)
    assert (await begun.send(issuing.token(begun.audience))).json()["state"] == "verified"


async def test_who_has_no_issuer_is_told_what_to_do_instead(market: Market) -> None:
    ada = market.member("Ada")
    await ada.create("Loom", repository_url="https://elsewhere.example.org/ada/loom")
    refused = await ada.post(f"{PROJECTS}/ada.loom/proofs", {"method": "oidc"})
    assert kind_of(refused) == (409, "no-issuer")
    assert "by DNS" in refused.json()["action"]
    assert (await ada.get(f"{PROJECTS}/ada.loom/proofs")).json()["methods"] == ["file", "dns"]


@pytest.mark.parametrize(
    "entry",
    ["https://a.example.org", "http://a.example.org=b=c", "https://a.example.org=b", "x=b=c", "https://a?b=c=d"],
)
def test_an_issuer_that_is_none_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(SettingsError, match="issuer=host=claim"):
        MarketplaceSettings(marketplace_oidc_issuers=(entry,))
