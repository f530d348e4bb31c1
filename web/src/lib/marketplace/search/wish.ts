import { SORTS, type Sort } from '../words.ts';

export const PRICES = ['all', 'free', 'paid'] as const;
export type PriceFilter = (typeof PRICES)[number];

/** What somebody looks for: words, filters and an order. The address of the page says all of it. */
export interface Wish {
  q: string;
  technologies: readonly string[];
  license: string | null;
  price: PriceFilter;
  tags: readonly string[];
  sort: Sort;
}

export const EVERYTHING: Wish = { q: '', technologies: [], license: null, price: 'all', tags: [], sort: 'relevance' };

/** The longest text and the most values of a filter that the server takes. */
export const LONGEST_TEXT = 200;
const MOST_VALUES = 40;

type Address = Pick<URLSearchParams, 'get' | 'getAll'>;

/** Reads an address. What makes no sense in it is as if it were not there. */
export function wishFrom(parameters: Address): Wish {
  return {
    q: (parameters.get('q') ?? '').slice(0, LONGEST_TEXT),
    technologies: values(parameters, 'technologies'),
    license: parameters.get('license') || null,
    price: PRICES.find((price) => price === parameters.get('price')) ?? 'all',
    tags: values(parameters, 'tags'),
    sort: SORTS.find(({ value }) => value === parameters.get('sort'))?.value ?? 'relevance',
  };
}

/** The address of a wish: `?q=…&technologies=…`, or nothing for everything. The same wish has the same address. */
export function addressOf(wish: Wish): string {
  const parameters = new URLSearchParams();
  if (wish.q.trim()) parameters.set('q', wish.q);
  for (const technology of [...wish.technologies].sort()) parameters.append('technologies', technology);
  if (wish.license) parameters.set('license', wish.license);
  if (wish.price !== 'all') parameters.set('price', wish.price);
  for (const tag of [...wish.tags].sort()) parameters.append('tags', tag);
  if (wish.sort !== 'relevance') parameters.set('sort', wish.sort);
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

/** Does the server take it as a search to follow? A price alone would fit too much. */
export const canBeFollowed = (wish: Wish): boolean =>
  /[\p{L}\p{N}]/u.test(wish.q) || wish.technologies.length + wish.tags.length > 0 || wish.license !== null;

/** One filter that is in force, and the wish without it. */
export interface Chosen {
  facet: 'technologies' | 'license' | 'price' | 'tags';
  value: string;
  without: Wish;
}

export function chosenOf(wish: Wish): Chosen[] {
  const lists = (['technologies', 'tags'] as const).flatMap((facet) =>
    wish[facet].map((value): Chosen => ({ facet, value, without: toggled(wish, facet, value) })),
  );
  const license: Chosen[] = wish.license
    ? [{ facet: 'license', value: wish.license, without: { ...wish, license: null } }]
    : [];
  const price: Chosen[] =
    wish.price === 'all' ? [] : [{ facet: 'price', value: wish.price, without: { ...wish, price: 'all' } }];
  return [...lists, ...license, ...price];
}

/** The words and the order stay. */
export const withoutFilters = (wish: Wish): Wish => ({ ...EVERYTHING, q: wish.q, sort: wish.sort });

export function has(wish: Wish, facet: Chosen['facet'], value: string): boolean {
  const now = wish[facet];
  return typeof now === 'string' ? same(now, value) : (now?.some((other) => same(other, value)) ?? false);
}

/** The wish with this filter if it was not in force, and without it if it was. */
export function toggled(wish: Wish, facet: Chosen['facet'], value: string): Wish {
  const on = has(wish, facet, value);
  if (facet === 'license') return { ...wish, license: on ? null : value };
  if (facet === 'price') return { ...wish, price: on ? 'all' : (value as PriceFilter) };
  const others = wish[facet].filter((other) => !same(other, value));
  return { ...wish, [facet]: on ? others : [...others, value] };
}

/** The server compares filters without case. */
const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

function values(parameters: Address, name: string): string[] {
  const seen = new Map(parameters.getAll(name).flatMap((value) => (value ? [[value.toLowerCase(), value]] : [])));
  return [...seen.values()].slice(0, MOST_VALUES);
}
