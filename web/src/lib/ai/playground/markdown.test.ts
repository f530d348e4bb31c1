import { describe, expect, it } from 'vitest';
import { blocksOf, spansOf } from './markdown.ts';

describe('an answer in Markdown', () => {
  it('has its parts', () => {
    const text = '# Title\n\nA **bold** `word`.\n\n1. One\n2. Two\n   - deeper\n\n```python\nprint(1)\n\n# no heading\n```\n> so\n> it is';
    expect(blocksOf(text)).toEqual([
      { kind: 'heading', spans: [{ kind: 'text', text: 'Title' }] },
      {
        kind: 'paragraph',
        spans: [
          { kind: 'text', text: 'A ' },
          { kind: 'strong', text: 'bold' },
          { kind: 'text', text: ' ' },
          { kind: 'code', text: 'word' },
          { kind: 'text', text: '.' },
        ],
      },
      {
        kind: 'list',
        items: [
          { depth: 0, number: 1, spans: [{ kind: 'text', text: 'One' }] },
          { depth: 0, number: 2, spans: [{ kind: 'text', text: 'Two' }] },
          { depth: 1, number: null, spans: [{ kind: 'text', text: 'deeper' }] },
        ],
      },
      { kind: 'code', language: 'python', text: 'print(1)\n\n# no heading' },
      { kind: 'quote', spans: [{ kind: 'text', text: 'so\nit is' }] },
    ]);
  });

  it('shows code that is still being written', () => {
    expect(blocksOf('So:\n```js\nlet a')).toContainEqual({ kind: 'code', language: 'js', text: 'let a' });
    expect(blocksOf('````\n```\n````')).toEqual([{ kind: 'code', language: '', text: '```' }]);
  });

  it('has links to the web only, and leaves the rest as it was written', () => {
    expect(spansOf('[a](https://example.org/x)')).toEqual([{ kind: 'link', text: 'a', href: 'https://example.org/x' }]);
    for (const text of ['[a](javascript:alert(1))', '<img src=x onerror=alert(1)>', '2 * 3 * 4', 'a_b_c', '**open']) {
      expect(spansOf(text)).toEqual([{ kind: 'text', text }]);
    }
  });

  it('keeps the columns of a table below each other', () => {
    expect(blocksOf('| a | b |\n|---|---|\n| 1 | 2 |')[0]).toMatchObject({ kind: 'code', language: '' });
  });
});
