"""Calls to addresses that strangers name: looked at first, then called at exactly the place that was looked at."""

from opencode.infra.fetching.caller import Called, Caller, CallFailed
from opencode.infra.fetching.errors import (
    AddressRefused,
    AnswerNotUnderstood,
    AnswerTooLarge,
    AnswerTooSlow,
    FetchFailed,
    FetchRefused,
    HostUnreachable,
)
from opencode.infra.fetching.fetcher import Fetched, Fetcher
from opencode.infra.fetching.reach import Reach

__all__ = [
    "AddressRefused",
    "AnswerNotUnderstood",
    "AnswerTooLarge",
    "AnswerTooSlow",
    "CallFailed",
    "Called",
    "Caller",
    "FetchFailed",
    "FetchRefused",
    "Fetched",
    "Fetcher",
    "HostUnreachable",
    "Reach",
]
