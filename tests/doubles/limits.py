"""Limits of persons, teams and everybody, without a database."""

from opencode.modules.ai.domain.setting import StoredLimits, Whose


class LimitsInMemory:
    """See `opencode.modules.ai.domain.setting.LimitShelf`."""

    def __init__(self) -> None:
        self._by_words: dict[str, StoredLimits] = {}

    async def all(self) -> list[StoredLimits]:
        return [self._by_words[words] for words in sorted(self._by_words)]

    async def find(self, whose: Whose) -> StoredLimits | None:
        return self._by_words.get(whose.words)

    async def count(self) -> int:
        return len(self._by_words)

    async def add(self, new: StoredLimits) -> bool:
        return self._by_words.setdefault(new.whose.words, new) is new

    async def change(self, before: StoredLimits, after: StoredLimits) -> bool:
        if not self._is(before):
            return False
        self._by_words[before.whose.words] = after
        return True

    async def delete(self, before: StoredLimits) -> bool:
        return self._is(before) and bool(self._by_words.pop(before.whose.words))

    def _is(self, before: StoredLimits) -> bool:
        now = self._by_words.get(before.whose.words)
        return now is not None and now.version == before.version
