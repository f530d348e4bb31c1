"""
What this process has read of published projects last: cards by id, and whole projects by slug. The catalogue forgets
what has changed, and keeps counters as they are, so nothing here is older than the index.
"""

from collections import OrderedDict
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.project import Counters
from opencode.modules.marketplace.domain.views import Card, Shown

MOST_CARDS = 20_000
MOST_PROJECTS = 2_000
MOST_LETTERS = 16_000_000
"""Of all descriptions together."""


class Memory:
    def __init__(self) -> None:
        self._cards: OrderedDict[ProjectId, Card] = OrderedDict()
        self._projects: OrderedDict[str, Shown] = OrderedDict()
        self._slugs: dict[ProjectId, str] = {}
        self._letters = 0
        self._changed_meanwhile: list[set[ProjectId]] = []

    def cards(self, ids: Iterable[ProjectId]) -> dict[ProjectId, Card]:
        """Those that are known."""
        known = {found: card for found in ids if (card := self._cards.get(found))}
        for found in known:
            self._cards.move_to_end(found)
        return known

    def project(self, slug: str) -> Shown | None:
        """The published project that has this slug now, if it is known."""
        if shown := self._projects.get(slug):
            self._projects.move_to_end(slug)
        return shown

    @contextmanager
    def read(self) -> Generator[set[ProjectId]]:
        """
        Around reading from the store. What changes meanwhile is in the set that it gives: of that, what was read may
        be old.
        """
        changed = set[ProjectId]()
        self._changed_meanwhile.append(changed)
        try:
            yield changed
        finally:
            # Not `remove`: sets of two readers may be equal.
            self._changed_meanwhile = [each for each in self._changed_meanwhile if each is not changed]

    def keep_cards(self, cards: Mapping[ProjectId, Card], changed: Collection[ProjectId]) -> None:
        self._cards.update((found, card) for found, card in cards.items() if found not in changed)
        while len(self._cards) > MOST_CARDS:
            self._cards.popitem(last=False)

    def keep_project(self, shown: Shown, changed: Collection[ProjectId]) -> None:
        project = shown.project
        if not project.is_listed or project.id in changed:
            return
        self._forget_project(project.id)
        self._projects[project.slug] = shown
        self._slugs[project.id] = project.slug
        self._letters += len(project.description)
        while len(self._projects) > MOST_PROJECTS or self._letters > MOST_LETTERS:
            self._forget_project(next(iter(self._projects.values())).project.id)

    def count(self, counted: Mapping[ProjectId, Counters]) -> None:
        """Note how projects stand now."""
        for found, counters in counted.items():
            if card := self._cards.get(found):
                self._cards[found] = msgspec.structs.replace(card, stars=counters.stars, downloads=counters.downloads)
            if slug := self._slugs.get(found):
                self._projects[slug] = replace(self._projects[slug], counters=counters)
        self._note_changed(counted.keys())

    def forget(self, ids: Collection[ProjectId]) -> None:
        for found in ids:
            self._cards.pop(found, None)
            self._forget_project(found)
        self._note_changed(ids)

    def forget_all(self) -> None:
        self.forget([*self._cards, *self._slugs])

    def _forget_project(self, project_id: ProjectId) -> None:
        if slug := self._slugs.pop(project_id, None):
            self._letters -= len(self._projects.pop(slug).project.description)

    def _note_changed(self, ids: Collection[ProjectId]) -> None:
        for changed in self._changed_meanwhile:
            changed.update(ids)
