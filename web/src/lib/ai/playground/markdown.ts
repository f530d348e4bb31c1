export type Span =
  | { kind: 'text' | 'code' | 'strong' | 'emphasis'; text: string }
  | { kind: 'link'; text: string; href: string };

/** `number` is null for one with a dot; `depth` is 0 for those that stand in no other. */
export interface ListItem {
  depth: number;
  number: number | null;
  spans: Span[];
}

/** `align` is that of its column. A row may have fewer cells than the head. */
export interface Cell {
  align: 'left' | 'center' | 'right';
  spans: Span[];
}

export type Block =
  | { kind: 'paragraph' | 'heading' | 'quote'; spans: Span[] }
  | { kind: 'list'; items: ListItem[] }
  | { kind: 'table'; head: Cell[]; rows: Cell[][] }
  | { kind: 'code'; language: string; text: string };

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DIVIDER = /^:?-+:?$/;
/** The second line of a table while it is being written. */
const HALF_DIVIDER = /^\s*\|[\s|:-]*$/;

/**
 * The part of Markdown that models write: paragraphs, headings, quotes, lists, tables, code, emphasis and links. What is not
 * known stays text. The result holds no HTML, so nothing in an answer can become a part of the page; a fence that is
 * still open runs to the end, since answers are shown while they are written.
 */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  let paragraph: string[] = [];

  function endParagraph() {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', spans: spansOf(paragraph.join('\n')) });
    paragraph = [];
  }

  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    const quote = QUOTE.exec(line);
    const item = ITEM.exec(line);
    const columns = fence || heading || quote || item ? null : columnsOf(lines, at);
    if (fence || columns || heading || quote || item || line.trim() === '') endParagraph();
    if (fence) {
      const end = closing(lines, at + 1, fence[1]!);
      blocks.push({ kind: 'code', language: fence[2]!, text: lines.slice(at + 1, end).join('\n') });
      at = end;
    } else if (columns) {
      const end = Math.min(lines.length, runOf(lines, at + 1, /\|/));
      const [head, ...rows] = [line, ...lines.slice(at + 2, end)].map((each) => rowOf(each, columns));
      blocks.push({ kind: 'table', head: head!, rows });
      at = end - 1;
    } else if (heading) blocks.push({ kind: 'heading', spans: spansOf(heading[1]!) });
    else if (quote) {
      const end = runOf(lines, at, QUOTE);
      const text = lines.slice(at, end).map((each) => QUOTE.exec(each)![1]);
      blocks.push({ kind: 'quote', spans: spansOf(text.join('\n')) });
      at = end - 1;
    } else if (item) addItem(blocks, item);
    else if (line.trim() !== '') paragraph.push(line);
  }
  endParagraph();
  return blocks;
}

function closing(lines: readonly string[], from: number, fence: string): number {
  for (let at = from; at < lines.length; at += 1) {
    const text = lines[at]!.trim();
    if (text.length >= fence.length && text === fence[0]!.repeat(text.length)) return at;
  }
  return lines.length;
}

/** Where the lines of this kind end that begin here. */
function runOf(lines: readonly string[], from: number, kind: RegExp): number {
  let end = from + 1;
  while (end < lines.length && kind.test(lines[end]!)) end += 1;
  return end;
}

/** How the columns of a table are aligned whose head is this line; null where none begins. */
function columnsOf(lines: readonly string[], at: number): Cell['align'][] | null {
  const head = lines[at]!;
  const below = lines[at + 1] ?? '';
  if (!head.includes('|') || !below.includes('|')) return null;
  const names = cellsOf(head);
  const dividers = cellsOf(below);
  if (at + 2 === lines.length && HALF_DIVIDER.test(below) && dividers.length <= names.length) {
    return names.map((_, column) => alignOf(dividers[column] ?? ''));
  }
  const fits = dividers.length === names.length && dividers.every((each) => DIVIDER.test(each));
  return fits ? dividers.map(alignOf) : null;
}

function alignOf(divider: string): Cell['align'] {
  if (!divider.endsWith(':')) return 'left';
  return divider.startsWith(':') ? 'center' : 'right';
}

/** Cells beyond the head are left out. Models write a break within a cell as the only tag that they know there. */
function rowOf(line: string, columns: readonly Cell['align'][]): Cell[] {
  const cells = cellsOf(line).slice(0, columns.length);
  return cells.map((text, at) => ({ align: columns[at]!, spans: spansOf(text.replaceAll(/<br ?\/?>/gi, '\n')) }));
}

/** What stands between the bars of a line; one behind a backslash is a letter like others. */
function cellsOf(line: string): string[] {
  const cells = line.trim().split(/(?<!\\)\|/).map((each) => each.trim().replaceAll('\\|', '|'));
  if (cells[0] === '') cells.shift();
  if (cells.length > 1 && cells.at(-1) === '') cells.pop();
  return cells;
}

function addItem(blocks: Block[], [, indent, number, text]: RegExpExecArray): void {
  const depth = Math.min(3, Math.floor(indent!.length / 2));
  const item = { depth, number: number === undefined ? null : Number(number), spans: spansOf(text!) };
  const last = blocks.at(-1);
  if (last?.kind === 'list') last.items.push(item);
  else blocks.push({ kind: 'list', items: [item] });
}

// Each length has an end, so that no answer makes the browser search for long.
const SPAN = new RegExp(
  [
    /(`{1,9})(?<code>.{1,2000}?)\1(?!`)/,
    /\*\*(?<strong>\S(?:.{0,1000}?\S)?)\*\*/,
    /(?<![\w*])\*(?<emphasis>[^\s*](?:[^*\n]{0,1000}[^\s*])?)\*(?![\w*])/,
    /\[(?<text>[^\][\n]{1,500})\]\((?<href>https?:\/\/[^\s()]{1,2000})\)/,
  ]
    .map((each) => each.source)
    .join('|'),
  'gs',
);

export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > at) spans.push({ kind: 'text', text: text.slice(at, match.index) });
    const { code, strong, emphasis, text: label, href } = match.groups!;
    if (code !== undefined) spans.push({ kind: 'code', text: code.trim() || code });
    else if (strong !== undefined) spans.push({ kind: 'strong', text: strong });
    else if (emphasis !== undefined) spans.push({ kind: 'emphasis', text: emphasis });
    else spans.push({ kind: 'link', text: label!, href: href! });
    at = match.index + match[0].length;
  }
  if (at < text.length) spans.push({ kind: 'text', text: text.slice(at) });
  return spans;
}
