import { describe, expect, it } from 'vitest';
import { cost, keptWords, many, money, tokens, usd, utcDay } from './words.ts';

const price = { input_usd: 0.15, output_usd: 0.6, cached_input_usd: null, cache_write_usd: null };

describe('numbers of models', () => {
  it('are prices with as many places as they have', () => {
    expect([0, 0.0375, 0.15, 2.5, 15, 1234.5].map(usd)).toEqual(['$0.00', '$0.0375', '$0.15', '$2.50', '$15.00', '$1,234.50']);
  });

  it('are costs that never round to nothing', () => {
    expect(cost(price, { input: 5, output: 4 })).toBe('$0.0000032');
    expect(cost(price, { input: 1_000_000, output: 1_000_000 })).toBe('$0.75');
    expect(cost(price, { input: 0, output: 0 })).toBe('$0.00');
  });

  it('are sums to the cent, which never are nothing for something', () => {
    expect([0, 12.5, 1234.567, 0.0034, 0.000001].map(money)).toEqual(['$0.00', '$12.50', '$1,234.57', '$0.0034', '$0.000001']);
    expect([many(1, 'call'), many(1204, 'call')]).toEqual(['1 call', '1,204 calls']);
    expect(utcDay('2026-11-02')).toBe('2 Nov');
  });

  it('are windows as people call them', () => {
    expect([512, 8_192, 131_072, 1_048_576, 1_500_000].map(tokens)).toEqual(['512', '8k', '131k', '1M', '1.5M']);
  });
});

it('an answer to a question that was merely like it is never called one to the same', () => {
  expect(keptWords({ similarity: null })).toContain('the same was asked before');
  expect(keptWords({ similarity: 0.99999 })).toContain('a question like it (99 % alike)');
});
