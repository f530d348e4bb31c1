import { describe, expect, it } from 'vitest';
import { addressOf, chosenOf, EVERYTHING, has, toggled, wishFrom, withoutFilters, type Wish } from './wish.ts';

const read = (address: string) => wishFrom(new URLSearchParams(address));
const full: Wish = {
  q: 'fast api & more',
  technologies: ['C++', 'Python'],
  license: 'MIT OR Apache-2.0',
  price: 'free',
  tags: ['http', 'web'],
  sort: 'recent',
};

describe('the address of a search', () => {
  it('says everything, and gives it back', () => {
    expect(read(addressOf(full))).toEqual(full);
    expect(addressOf(EVERYTHING)).toBe('');
    expect(read('')).toEqual(EVERYTHING);
  });

  it('is the same for the same wish', () => {
    expect(addressOf({ ...full, technologies: ['Python', 'C++'], tags: ['web', 'http'] })).toBe(addressOf(full));
  });

  it('is read as far as it makes sense', () => {
    const wish = read('?sort=upwards&price=cheap&technologies=&technologies=Go&technologies=go&page=7');
    expect(wish).toEqual({ ...EVERYTHING, technologies: ['go'] });
    expect(read(`?q=${'x'.repeat(900)}`).q).toHaveLength(200);
    expect(read(`?${Array.from({ length: 90 }, (_, n) => `tags=t${n}`).join('&')}`).tags).toHaveLength(40);
  });
});

describe('filters', () => {
  it('are chosen and taken back, whatever their case', () => {
    const chosen = toggled(EVERYTHING, 'technologies', 'Python');
    expect(has(chosen, 'technologies', 'python')).toBe(true);
    expect(toggled(chosen, 'technologies', 'PYTHON')).toEqual(EVERYTHING);
    expect(toggled(EVERYTHING, 'license', 'MIT').license).toBe('MIT');
    expect(toggled(toggled(EVERYTHING, 'price', 'free'), 'price', 'paid').price).toBe('paid');
  });

  it('each know the wish without them', () => {
    expect(chosenOf(full).map(({ facet, value }) => `${facet} ${value}`)).toEqual([
      'technologies C++',
      'technologies Python',
      'tags http',
      'tags web',
      'license MIT OR Apache-2.0',
      'price free',
    ]);
    expect(chosenOf(full)[0]!.without).toEqual({ ...full, technologies: ['Python'] });
  });

  it('go together; words and order stay', () => {
    expect(withoutFilters(full)).toEqual({ ...EVERYTHING, q: full.q, sort: 'recent' });
  });
});
