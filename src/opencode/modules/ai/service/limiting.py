"""Limits of persons, teams and everybody, as administrators see and set them while the server runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.kernel.ids import is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.adapters.files import Layer
from opencode.modules.ai.domain.configuration.model import Limits, Period
from opencode.modules.ai.domain.limits import CountBound, LimitCounters, Measure, bounds_of
from opencode.modules.ai.domain.money import dollars, nano_of
from opencode.modules.ai.domain.periods import Span, day_of, span_of
from opencode.modules.ai.domain.setting import NAMES, PeoplesLimits, StoredLimits, Whose
from opencode.modules.ai.domain.usage import Subject, SubjectKind
from opencode.modules.ai.errors import LimitOfFile, LimitsNotInForce, LimitsOutdated, NobodyToLimit, TooManyLimits
from opencode.modules.ai.policy import require_manager
from opencode.modules.ai.service.configuring import limit_sources
from opencode.modules.ai.service.live import Live, Snapshot
from opencode.modules.ai.service.standing import Standing, Standings
from opencode.modules.ai.service.storing import Storing
from opencode.modules.ai.settings import AiSettings
from opencode.modules.ai.store import AiWork, Stores, reading

NOT_SET = "0"
"""The version of limits that are not stored."""
_EVERYBODY = Whose()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a limit is set: the layer of the configuration, and the place in it."""

    layer: str
    place: str


@dataclass(frozen=True, slots=True)
class LimitsShown:
    """
    Attributes:
        label: what a person is called; None for others, and for those that are gone.
        address: of a person.
        limits: what holds: of a person, with what is set for everybody.
        sources: of what is set for them alone.
        stored: what administrators have set.
        used: how much of each limit by the minute is taken now; of persons and teams.
        budget: how it stands; None where there is none, and for everybody.
        spent: in nano-dollars, in the period of the budget, or this month; None for everybody.
        exists: False for whom a file names without an account, and for whom nobody knows any more.
    """

    whose: Whose
    label: str | None
    address: str | None
    limits: Limits
    sources: Mapping[str, Source]
    stored: StoredLimits | None
    used: Mapping[Measure, int]
    budget: Standing | None
    spent: int | None
    exists: bool = True

    @property
    def version(self) -> str:
        return self.stored.version if self.stored else NOT_SET


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known before anything is counted: names and addresses of persons, and what is stored."""

    snapshot: Snapshot
    people: PeoplesLimits
    stored: Mapping[Whose, StoredLimits]
    labels: Mapping[str, str]
    addresses: Mapping[str, str]


class Limiting:
    def __init__(
        self,
        parts: Parts,
        settings: AiSettings,
        identity: Identity,
        live: Live,
        storing: Storing,
        counters: LimitCounters,
        standings: Standings,
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._identity = identity
        self._live = live
        self._storing = storing
        self._counters = counters
        self._standings = standings

    async def page(self, by: Principal, page: PageRequest) -> Page[LimitsShown]:
        """
        Everybody first, then teams by name, then, by id, all persons who have asked a model or for whom limits are set.

        Raises:
            Unauthenticated, Forbidden
            LimitsUnknown: Redis counts, and does not answer.
        """
        require_manager(by)
        stored = await self._storing.limits()
        position = page.position(int, str)
        after = position or (-1, "")
        several = [each for each in self._few(stored) if _place(each) > after]
        if len(several) <= page.limit:
            last = after[1] if after[0] == _place_of(SubjectKind.PERSON) else ""
            several += await self._persons(stored, last, page.limit + 1)
        cut = Page.cut(several[: page.limit + 1], page.limit, _place)
        return Page(await self._shown(cut.items, stored), cut.next_cursor)

    async def find(self, words: str, by: Principal) -> LimitsShown:
        """
        Args:
            words: `everybody`, `team:<name>`, `person:<id or e-mail address of an account>`.

        Raises:
            Unauthenticated, Forbidden, NobodyToLimit, LimitsUnknown
        """
        require_manager(by)
        whose = await self._whose(words)
        return (await self._shown([whose], await self._storing.limits()))[0]

    async def put(self, words: str, limits: Limits, by: Principal, if_match: str | None) -> LimitsShown:
        """
        Set all limits of somebody that are not a file's; those that are not given are those of everybody. In force when
        this returns. What was spent stays spent.

        Args:
            if_match: the header; nothing changes where limits are not what it names.

        Raises:
            Unauthenticated, Forbidden, NobodyToLimit, LimitOfFile, LimitsNotInForce, LimitsOutdated,
            TooManyLimits, LimitsUnknown
        """
        require_manager(by)
        if limits == Limits():
            return await self._take_away(words, by, if_match)
        whose = await self._whose(words)
        self._require_in_force()
        await self._require_free(whose, limits)
        new = StoredLimits(whose, limits, new_id("lim"), by.id, self._parts.clock.now())
        async with AiWork(self._parts) as work:
            before = await work.stores.limits.find(whose)
            _require_current(whose, before, if_match)
            if before is None and await work.stores.limits.count() >= self._settings.ai_stored_limits:
                raise TooManyLimits(self._settings.ai_stored_limits)
            is_put = await (work.stores.limits.change(before, new) if before else work.stores.limits.add(new))
            if not is_put:
                raise LimitsOutdated(whose.words)
            await self._open_budget(work.stores, whose, limits)
        await self._tell("ai.limits_set", whose, by, _in_words(limits))
        return await self.find(whose.words, by)

    async def delete(self, words: str, by: Principal, if_match: str | None) -> None:
        """
        Take away what administrators have set: what is set for everybody holds again. Twice is the same as once.

        Raises:
            Unauthenticated, Forbidden, NobodyToLimit, LimitsNotInForce, LimitsOutdated
        """
        require_manager(by)
        whose = await self._whose(words)
        self._require_in_force()
        async with AiWork(self._parts) as work:
            before = await work.stores.limits.find(whose)
            _require_current(whose, before, if_match)
            if before is None:
                return
            if not await work.stores.limits.delete(before):
                raise LimitsOutdated(whose.words)
        await self._tell("ai.limits_taken_away", whose, by, "")

    async def _take_away(self, words: str, by: Principal, if_match: str | None) -> LimitsShown:
        await self.delete(words, by, if_match)
        return await self.find(words, by)

    async def _tell(self, kind: str, whose: Whose, by: Principal, detail: str) -> None:
        await self._identity.record(kind, actor=by, subject_id=whose.words, detail=detail)
        await self._live.tell_others()

    async def _open_budget(self, stores: Stores, whose: Whose, limits: Limits) -> None:
        """So that what was spent before counts, also where another budget held until now."""
        if whose.subject and limits.budget:
            span = self._span(limits.budget.period)
            await stores.budgets.open(whose.subject, limits.budget.period, span, again=True)

    async def _whose(self, words: str) -> Whose:
        """Whom an address means; a person is told by the id of the account."""
        try:
            if "\0" in words:  # PostgreSQL refuses even to look for it
                raise ValueError(words)
            whose = Whose.of_words(words)
        except ValueError:
            raise NobodyToLimit(words) from None
        subject = whose.subject
        if subject is None:
            return whose
        if subject.kind is SubjectKind.TEAM:
            if subject.id in self._live.current.configuration.teams or await self._is_stored(whose):
                return whose
        elif is_id(subject.id, "usr"):
            if await self._identity.display_names(frozenset({subject.id})) or await self._is_stored(whose):
                return whose
        elif found := await self._identity.accounts_at(frozenset({subject.id})):
            return Whose(Subject(SubjectKind.PERSON, found[subject.id]))
        raise NobodyToLimit(subject.id)

    async def _is_stored(self, whose: Whose) -> bool:
        """Limits of those who are gone can still be taken away."""
        return any(each.whose == whose for each in await self._storing.limits())

    def _require_in_force(self) -> None:
        """Nobody is told that a limit holds while it does not."""
        if self._live.refused:
            raise LimitsNotInForce

    async def _require_free(self, whose: Whose, limits: Limits) -> None:
        loaded = self._live.current.loaded
        if loaded is None:
            return
        sources = limit_sources(loaded, whose, await self._address_of(whose))
        for name in NAMES:
            where = sources.get(name)
            if getattr(limits, name) is not None and where and where[0] != Layer.DATABASE:
                raise LimitOfFile(name, str(where[1]))

    async def _address_of(self, whose: Whose) -> str:
        subject = whose.subject
        if subject is None or subject.kind is not SubjectKind.PERSON:
            return ""
        return (await self._identity.email_addresses(frozenset({subject.id}))).get(subject.id, "")

    def _few(self, stored: Iterable[StoredLimits]) -> list[Whose]:
        """Everybody and the teams."""
        named = {Whose(Subject(SubjectKind.TEAM, name)) for name in self._live.current.configuration.teams}
        left = {each.whose for each in stored if each.whose.subject and each.whose.subject.kind is SubjectKind.TEAM}
        return [_EVERYBODY, *sorted(named | left, key=_place)]

    async def _persons(self, stored: Iterable[StoredLimits], after: str, most: int) -> list[Whose]:
        async with reading(self._parts.database) as stores:
            asked = await stores.usage.persons_after(after, most)
        addresses = frozenset(each for each in self._live.current.configuration.people if "@" in each)
        accounts = await self._identity.accounts_at(addresses)
        named = {accounts.get(each, each) for each in addresses}
        named |= {each for each in self._live.current.configuration.people if "@" not in each}
        named |= {each.whose.subject.id for each in stored if _is_person(each.whose) and each.whose.subject}
        ids = sorted({*asked, *(each for each in named if each > after)})
        return [Whose(Subject(SubjectKind.PERSON, each)) for each in ids[:most]]

    async def _shown(self, several: Sequence[Whose], stored: Iterable[StoredLimits]) -> list[LimitsShown]:
        snapshot = self._live.current
        people = PeoplesLimits(snapshot.configuration)
        ids = frozenset(each.subject.id for each in several if _is_person(each) and each.subject)
        labels, addresses = await self._identity.display_names(ids), await self._identity.email_addresses(ids)
        known = _Known(snapshot, people, {each.whose: each for each in stored}, labels, addresses)
        limits = {each: _limits_of(each, known) for each in several}
        bounds = bounds_of([(each.subject, limits[each]) for each in several if each.subject])
        used = dict(zip(bounds.counts, await self._counters.used(bounds.counts), strict=True))
        standings = {each.bound.subject: each for each in await self._standings.of(bounds.budgets)}
        spent = await self._spent(limits, standings)
        return [_one(each, known, limits[each], used, standings, spent) for each in several]

    async def _spent(self, limits: Mapping[Whose, Limits], standings: Mapping[Subject, Standing]) -> dict[Subject, int]:
        """
        What the ledger has of persons, in the period of their budget or this month: it counts from the first call,
        and a budget from its first call on. Of teams, what their budget has.
        """
        by_period: dict[Period, list[str]] = {}
        for whose, own in limits.items():
            if _is_person(whose) and whose.subject:
                period = own.budget.period if own.budget else Period.MONTH
                by_period.setdefault(period, []).append(whose.subject.id)
        spent = {subject: standing.spent for subject, standing in standings.items()}
        async with reading(self._parts.database) as stores:
            for period, ids in by_period.items():
                found = await stores.usage.spent_by_persons(ids, self._span(period))
                for each in ids:
                    subject = Subject(SubjectKind.PERSON, each)
                    spent[subject] = max(spent.get(subject, 0), found.get(each, 0))
        return spent

    def _span(self, period: Period) -> Span:
        return span_of(period, day_of(self._parts.clock.now().date()))


def _place_of(kind: SubjectKind | None) -> int:
    return 0 if kind is None else 1 if kind is SubjectKind.TEAM else 2


def _place(whose: Whose) -> tuple[int, str]:
    """Where it stands in the list."""
    return (_place_of(whose.subject.kind), whose.subject.id) if whose.subject else (0, "")


def _is_person(whose: Whose) -> bool:
    return whose.subject is not None and whose.subject.kind is SubjectKind.PERSON


def _limits_of(whose: Whose, known: _Known) -> Limits:
    subject, configuration = whose.subject, known.snapshot.configuration
    if subject is None:
        return configuration.limits
    if subject.kind is SubjectKind.TEAM:
        return configuration.teams[subject.id].limits if subject.id in configuration.teams else Limits()
    return known.people.of(subject.id, known.addresses.get(subject.id, ""))


def _one(
    whose: Whose,
    known: _Known,
    limits: Limits,
    used: Mapping[CountBound, int],
    standings: Mapping[Subject, Standing],
    spent: Mapping[Subject, int],
) -> LimitsShown:
    subject, loaded = whose.subject, known.snapshot.loaded
    address = known.addresses.get(subject.id, "") if subject else ""
    teams, named_by_address = known.snapshot.configuration.teams, subject is not None and "@" in subject.id
    found = limit_sources(loaded, whose, address) if loaded else {}
    return LimitsShown(
        whose=whose,
        label=known.labels.get(subject.id) if subject else None,
        address=subject.id if subject and _is_person(whose) and named_by_address else address or None,
        limits=limits,
        sources={name: Source(layer, str(place)) for name, (layer, place) in found.items()},
        stored=known.stored.get(whose),
        used={bound.measure: count for bound, count in used.items() if bound.subject == subject},
        budget=standings.get(subject) if subject else None,
        spent=spent.get(subject) if subject else None,
        exists=subject is None or subject.id in (known.labels if _is_person(whose) else teams),
    )


def _require_current(whose: Whose, before: StoredLimits | None, if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    version = before.version if before else NOT_SET
    # A weak tag (`W/"…"`) never matches here: it does not promise the same.
    if f'"{version}"' not in {tag.strip() for tag in if_match.split(",")}:
        raise LimitsOutdated(whose.words)


def _in_words(limits: Limits) -> str:
    """For the audit trail."""
    told = [f"{name}={value}" for name in NAMES[:-1] if (value := getattr(limits, name)) is not None]
    if limits.budget:
        told.append(f"budget={dollars(nano_of(limits.budget.amount_usd))} a {limits.budget.period}")
    return ", ".join(told)
