"""What is asked, as SQL: one statement for a page of hits, how many there are, and how many have each label."""

import math
from dataclasses import dataclass, field
from typing import Any

from opencode.modules.marketplace.adapters.catalog_postgres.tables import Tables
from opencode.modules.marketplace.adapters.catalog_postgres.words import lexeme, quoted
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, Order, Search
from opencode.modules.marketplace.domain.contents import FULL_IMPACT
from opencode.modules.marketplace.domain.digest import words_of_filters
from opencode.modules.marketplace.domain.ranking import EXACT_NAME, NEAR_NAME
from opencode.modules.marketplace.domain.understanding import Alternative, Clause, Understanding

_KEYS = {
    Order.POPULARITY: "standings.popularity",
    Order.TRENDING: "standings.trending",
    Order.RECENT: "entries.updated",
    Order.NAME: "entries.name_key",
}
_BIGGEST = (1 << 63) - 1
_TOP_LABELS = f"""
    select facet, written, count from (
        select facet, written, sorted_by, count,
            row_number() over (partition by facet order by count desc, sorted_by) as place
        from ({{counts}}) as counted join {{labels}} as labels on labels.{{by}} = counted.label
    ) as placed where place <= {FACET_VALUES} order by facet, place
"""


@dataclass(slots=True)
class Values:
    """The values of a statement, by the numbers that stand for them in it."""

    all: list[Any] = field(default_factory=list[Any])

    def add(self, value: Any, kind: str) -> str:
        self.all.append(value)
        return f"${len(self.all)}::{kind}"


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    values: tuple[Any, ...]


def statement_of(search: Search, understood: Understanding, tables: Tables) -> Statement:
    """
    Its row has `total`, `hits` and `facets`, the last two as JSON; `total` is null where nothing was asked, as that is
    known already.

    Raises:
        ValueError: the position is of another order.
    """
    values = Values()
    query = _query(search, understood)
    is_scored = search.order is Order.RELEVANCE and bool(understood.clauses)
    if query is None:
        hits = _all_hits(search, tables, values)
        facets = _all_facets(tables)
        sql = f"select null as total, ({hits})::text as hits"
        found = ""
    else:
        found = _found(query, understood if is_scored else None, search.order, tables, values)
        hits = _hits_of("found", search, values, is_scored=is_scored)
        counts = "select label, count(*) as count from found, unnest(found.labels) as label group by label"
        facets = _TOP_LABELS.format(counts=counts, labels=tables.labels, by="number")
        sql = f"select (select count(*) from found) as total, ({hits})::text as hits"
    counted = f"(select json_agg(json_build_array(facet, written, count)) from ({facets}) as top)::text"
    return Statement(f"{found} {sql}, {counted if search.with_facets else 'null'} as facets", tuple(values.all))


def _query(search: Search, understood: Understanding) -> str | None:
    """As a `tsquery`: all filters, and all clauses or one of the names. None where everything is asked for."""
    asked = [quoted(word) for word in words_of_filters(search.filters)]
    words = [_any_of(clause) for clause in understood.clauses]
    if words:
        text = " & ".join(words)
        asked.append(f"(({text}) | {_any_of(understood.names)})" if understood.names else text)
    return " & ".join(asked) or None


def _any_of(clause: Clause) -> str:
    return "(" + " | ".join(quoted(each.word) + (":*" if each.is_open else "") for each in clause) + ")"


def _found(query: str, scored: Understanding | None, order: Order, tables: Tables, values: Values) -> str:
    matching = (
        f"from {tables.entries} as entries join {tables.standings} as standings using (id) {{joined}} "
        f"where entries.words @@ {values.add(query, 'text')}::tsquery"
    )
    if scored is None:
        key = _KEYS[Order.POPULARITY if order is Order.RELEVANCE else order]
        source = f"select id, entries.labels, {key} as key {matching.format(joined='')}"
        return f"with found as materialized ({source})"
    text, best = _text(scored, values)
    exact, names = values.add(scored.exact, "text"), values.add([each.word for each in scored.names], "text[]")
    source = (
        f"select id, entries.labels, standings.boost, standings.trust, {text} as text, "
        f"case when entries.joined = {exact} then {EXACT_NAME:.1f}::float8 "
        f"when entries.joined = any({names}) then {NEAR_NAME:.1f}::float8 else 1.0::float8 end as named "
        + matching.format(joined=f"cross join lateral ({best}) as best")
    )
    score = "select *, text * boost * named as key from matching"
    return f"with matching as materialized ({source}), found as materialized ({score})"


def _text(understood: Understanding, values: Values) -> tuple[str, str]:
    """
    The score of the text, and the subquery with the best of each clause that it is made of. Always added up in the same
    order: the next page must come to the same score, to the last bit.
    """
    columns = [_best(clause, values) for clause in understood.clauses]
    names = [f"clause_{number}" for number in range(len(columns))]
    text = " + ".join(f"best.{name}" for name in names)
    if understood.names:
        columns.append(_best(understood.names, values))
        names.append("name")
        text = f"greatest({text}, best.name)"
    listed = ", ".join(f"{column} as {name}" for column, name in zip(columns, names, strict=True))
    return text, f"select {listed} from unnest(entries.words) as word"


def _best(clause: Clause, values: Values) -> str:
    return f"max(greatest({', '.join(_worth(each, values) for each in clause)}) * word.positions[1])"


def _worth(alternative: Alternative, values: Values) -> str:
    word = values.add(lexeme(alternative.word), "text")
    # A label has no position, so a word that nobody can type is worth nothing.
    has = f"starts_with(word.lexeme, {word})" if alternative.is_open else f"word.lexeme = {word}"
    return f"case when {has} then {values.add(alternative.weight / FULL_IMPACT, 'float8')} end"


def _hits_of(found: str, search: Search, values: Values, *, is_scored: bool) -> str:
    order = Order.NAME if search.order is Order.NAME else Order.POPULARITY
    behind = _behind("key", "id", search, values) if search.after else "true"
    direction = "" if order is Order.NAME else " desc"
    parts = ", text, boost, trust, named" if is_scored else ""
    page = (
        f"select id, key{parts} from {found} where {behind} "
        f"order by key{direction}, id desc limit {values.add(search.limit, 'integer')}"
    )
    return f"select json_agg(json_build_array(id, key{parts}) order by key{direction}, id desc) from ({page}) as page"


def _all_hits(search: Search, tables: Tables, values: Values) -> str:
    order = Order.POPULARITY if search.order is Order.RELEVANCE else search.order
    table, _, column = _KEYS[order].partition(".")
    source = f"{tables.standings if table == 'standings' else tables.entries} as {table}"
    return _hits_of(f"(select id, {column} as key from {source}) as found", search, values, is_scored=False)


def _all_facets(tables: Tables) -> str:
    counts = f"select word as label, projects as count from {tables.words} where word < ' ' and projects > 0"
    return _TOP_LABELS.format(counts=counts, labels=tables.labels, by="word")


def _behind(key: str, project_id: str, search: Search, values: Values) -> str:
    """
    Raises:
        ValueError
    """
    assert search.after
    last = values.add(search.after.id, "text")
    if search.order is Order.NAME:
        value = values.add(_name(search.after.key), "text")
        return f"({key} > {value} or ({key} = {value} and {project_id} < {last}))"
    if search.order is Order.RECENT:
        value = values.add(_whole(search.after.key), "bigint")
    else:
        value = values.add(_number(search.after.key), "float8")
    return f"({key}, {project_id}) < ({value}, {last})"


def _name(key: float | str) -> str:
    if not isinstance(key, str) or "\0" in key:
        raise ValueError(f"{key!r} is no position in the order by name")
    key.encode()
    return key


def _number(key: float | str) -> float:
    if isinstance(key, str):
        raise ValueError(f"{key!r} is no position in an order by numbers")  # noqa: TRY004, as the port says
    try:
        return float(key)
    except OverflowError:
        return math.copysign(math.inf, key)


def _whole(key: float | str) -> int:
    number = key if isinstance(key, int) else int(_number(key))
    return max(-_BIGGEST, min(_BIGGEST, number))
