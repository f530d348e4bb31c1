import { describe, expect, it } from 'vitest';
import { EMPTY, type ProjectFields } from './fields.ts';
import { merge } from './merging.ts';

const base: ProjectFields = { ...EMPTY, title: 'Engine', summary: 'Counts', tags: ['math'] };

describe('two changes of one project', () => {
  it('are both kept when they are of different fields', () => {
    const { fields, conflicts, taken } = merge(base, { ...base, title: 'The engine' }, { ...base, summary: 'Computes' });
    expect([fields.title, fields.summary]).toEqual(['The engine', 'Computes']);
    expect(conflicts).toEqual([]);
    expect(taken).toEqual(['summary']);
  });

  it('are told when they are of one field, and what was typed stays', () => {
    const { fields, conflicts } = merge(base, { ...base, tags: ['math', 'old'] }, { ...base, tags: ['mechanics'] });
    expect(conflicts).toEqual(['tags']);
    expect(fields.tags).toEqual(['math', 'old']);
  });

  it('are no conflict when they are the same', () => {
    const change = { ...base, title: 'The engine' };
    expect(merge(base, change, { ...change })).toEqual({ fields: change, conflicts: [], taken: [] });
  });

  it('leave alone what only the form knows', () => {
    const typed = { ...base, price: { isPaid: false, amount: '12', currency: 'USD' } };
    expect(merge(base, typed, base)).toEqual({ fields: typed, conflicts: [], taken: [] });
  });
});
