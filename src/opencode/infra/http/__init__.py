"""HTTP for all modules: problem documents, strict bodies, who is calling, event streams, files of the web UI."""

from opencode.infra.http.authentication import (
    SESSION_COOKIE,
    Caller,
    credentials_of,
    provide_address,
    provide_principal,
    refuse_other_sites,
)
from opencode.infra.http.caching import ASKED_EACH_TIME, IfNoneMatch, answer_to, kept_for
from opencode.infra.http.digests import DigestInvalid, announced_sha256
from opencode.infra.http.downloads import Download, answer_with, head_of
from opencode.infra.http.event_stream import After, LastEventId, ServerEvent, event_stream
from opencode.infra.http.late_router import LateRouter
from opencode.infra.http.pages import PageView, provide_page_request
from opencode.infra.http.problems import problem_of, problem_response, status_of
from opencode.infra.http.requests import ApiRequest, Body, IdempotencyKey
from opencode.infra.http.revisions import IfMatch, with_revision

__all__ = [
    "ASKED_EACH_TIME",
    "SESSION_COOKIE",
    "After",
    "ApiRequest",
    "Body",
    "Caller",
    "DigestInvalid",
    "Download",
    "IdempotencyKey",
    "IfMatch",
    "IfNoneMatch",
    "LastEventId",
    "LateRouter",
    "PageView",
    "ServerEvent",
    "announced_sha256",
    "answer_to",
    "answer_with",
    "credentials_of",
    "event_stream",
    "head_of",
    "kept_for",
    "problem_of",
    "problem_response",
    "provide_address",
    "provide_page_request",
    "provide_principal",
    "refuse_other_sites",
    "status_of",
    "with_revision",
]
