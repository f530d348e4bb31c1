import { describe, expect, it } from 'vitest';
import { readCode, showCode } from './code.ts';

describe('an interview code', () => {
  it.each([
    ['481205', '481205'],
    ['481 205', '481205'],
    [' 481-205 ', '481205'],
    ['481\u00a0205', '481205'],
    ['https://code.example.org/join/481205', '481205'],
    ['https://code.example.org:8000/join/481205', '481205'],
    ['Tuesday 14:30, code: 481 205, see you', '481205'],
    ['4812', '4812'],
    ['48 12 05 99', '481205'],
    ['no digits', ''],
  ])('is found in %j', (text, code) => {
    expect(readCode(text)).toBe(code);
  });

  it('is shown in two groups, while it is being typed, too', () => {
    expect(['', '4', '481', '4812', '481205'].map(showCode)).toEqual(['', '4', '481', '481 2', '481 205']);
  });
});
