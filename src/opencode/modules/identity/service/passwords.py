"""Password hashing: argon2id (RFC 9106), off the event loop, and only so many at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from opencode.modules.identity.errors import TooManyAtOnce
from opencode.modules.identity.settings import IdentitySettings

T = TypeVar("T")

MAX_WAITING = 64
"""Sign-ins that may wait for a free thread: at some 100 ms a hash, those behind would have given up anyway."""


class Passwords:
    """
    Hashes and checks passwords. Memory is bounded by `password_hashes_at_once` times `password_memory_kib`, whatever
    comes in.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_passes,
            memory_cost=settings.password_memory_kib,
            parallelism=settings.password_lanes,
        )
        self._threads = ThreadPoolExecutor(settings.password_hashes_at_once, thread_name_prefix="passwords")
        self._at_once = settings.password_hashes_at_once
        self._busy = 0
        self._decoy: str | None = None

    async def prepare(self) -> None:
        """Make the decoy, so that the first sign-in with an unknown address takes no longer than others."""
        self._decoy = await self.hash(token_urlsafe())

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """
        Raises:
            TooManyAtOnce: too many wait already.
        """
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """
        Is it the password of this hash? No hash (no such account, or one without a password) takes the same work
        and is never right.

        Raises:
            TooManyAtOnce: too many wait already.
        """
        if self._decoy is None:
            await self.prepare()
        kept = password_hash or self._decoy or ""
        right = await self._in_thread(lambda: self._verify(kept, password))
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Was it made with other parameters than the settings name now?"""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._busy >= self._at_once + MAX_WAITING:
            raise TooManyAtOnce
        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Counted until the thread is done, not until the caller is: one who hangs up does not free the memory.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()
