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

  const words = (text: string) => text.split('|').map((each) => each && [{ kind: 'text', text: each }]);
  const tableOf = (markdown: string) => {
    const [block, ...rest] = blocksOf(markdown);
    if (block?.kind !== 'table') throw new Error(`no table but ${block?.kind}`);
    return { head: block.head, rows: block.rows.map((row) => row.map(({ spans }) => spans)), rest };
  };

  it('has tables, with or without bars at the sides, up to the first line without one', () => {
    for (const text of ['| a | b |\n|---|:-:|\n| 1 | 2 |\n', 'a | b\n--- | :---:\n1 | 2\n']) {
      const { head, rows, rest } = tableOf(`${text}So it is.`);
      expect(head).toEqual([
        { align: 'left', spans: [{ kind: 'text', text: 'a' }] },
        { align: 'center', spans: [{ kind: 'text', text: 'b' }] },
      ]);
      expect(rows).toEqual([words('1|2')]);
      expect(rest).toEqual([{ kind: 'paragraph', spans: [{ kind: 'text', text: 'So it is.' }] }]);
    }
  });

  it('has words with emphasis, code, links and breaks in the cells of a table, and no HTML', () => {
    const { rows } = tableOf(
      '| a | b |\n|:--|--:|\n| **x** | `y \\| z` |\n| one<br>two | <img src=x onerror=alert(1)> |\n| [l](https://example.org) |  |',
    );
    expect(rows).toEqual([
      [[{ kind: 'strong', text: 'x' }], [{ kind: 'code', text: 'y | z' }]],
      [[{ kind: 'text', text: 'one\ntwo' }], [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }]],
      [[{ kind: 'link', text: 'l', href: 'https://example.org' }], []],
    ]);
  });

  it('leaves out cells beyond the head, and takes rows that have too few', () => {
    expect(tableOf('| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |').rows).toEqual([words('1'), words('1|2')]);
  });

  it('shows a table from the moment in which its second line begins', () => {
    for (const begun of ['|', '| -', '|---|', '|---|--']) {
      const { head, rows } = tableOf(`| a | b |\n${begun}`);
      expect([head.length, rows]).toEqual([2, []]);
    }
  });

  it('takes no sentence with bars for a table', () => {
    for (const text of ['a | b', 'a || b\nc || d', '| a | b |\n|---|\n| 1 |', 'x | y\n---', '- a | b\n---|---']) {
      expect(blocksOf(text).map(({ kind }) => kind)).not.toContain('table');
    }
  });

  it('takes no longer for a large table than for a large text', () => {
    const wide = `${'|'.repeat(20_000)}\n${'|-'.repeat(20_000)}|\n${'|\n'.repeat(20_000)}`;
    const { rows } = tableOf(`|${'a|'.repeat(20_000)}\n|${'-|'.repeat(20_000)}\n${'|\n'.repeat(20_000)}`);
    expect(rows.flat().length).toBeLessThanOrEqual(20_000);
    expect(blocksOf(wide).length).toBeGreaterThan(0);
  });
});
