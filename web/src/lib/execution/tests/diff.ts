export interface DiffLine {
  kind: 'same' | 'missing' | 'extra';
  text: string;
}

/** Beyond this many lines on both sides together, lines are compared place by place: a table would grow too large. */
const FINE_UP_TO = 2_000;

/** Trailing white space never matters: at the end of a line, and empty lines at the end of it all. */
export function plain(text: string): string[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n').map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

export function agree(expected: string, actual: string): boolean {
  return plain(expected).join('\n') === plain(actual).join('\n');
}

/** What is missing of the expected lines, and what came that nobody expected, in order. */
export function diff(expected: string, actual: string): DiffLine[] {
  const wanted = plain(expected);
  const came = plain(actual);
  return wanted.length + came.length > FINE_UP_TO ? byPlace(wanted, came) : byCommonLines(wanted, came);
}

function byPlace(wanted: string[], came: string[]): DiffLine[] {
  const length = Math.max(wanted.length, came.length);
  return Array.from({ length }, (_, at) => at).flatMap((at): DiffLine[] => {
    const [left, right] = [wanted[at], came[at]];
    if (left !== undefined && left === right) return [{ kind: 'same', text: left }];
    return [...line('missing', left), ...line('extra', right)];
  });
}

function line(kind: DiffLine['kind'], text: string | undefined): DiffLine[] {
  return text === undefined ? [] : [{ kind, text }];
}

/** The longest sequence of lines that both have, by the table of its lengths (Wagner and Fischer). */
function byCommonLines(wanted: string[], came: string[]): DiffLine[] {
  const lengths = Array.from({ length: wanted.length + 1 }, () => new Uint32Array(came.length + 1));
  for (let i = wanted.length - 1; i >= 0; i -= 1) {
    for (let j = came.length - 1; j >= 0; j -= 1) {
      const [row, next] = [lengths[i]!, lengths[i + 1]!];
      row[j] = wanted[i] === came[j] ? next[j + 1]! + 1 : Math.max(next[j]!, row[j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < wanted.length && j < came.length) {
    if (wanted[i] === came[j]) {
      lines.push({ kind: 'same', text: wanted[i]! });
      i += 1;
      j += 1;
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) lines.push({ kind: 'missing', text: wanted[i++]! });
    else lines.push({ kind: 'extra', text: came[j++]! });
  }
  return [
    ...lines,
    ...wanted.slice(i).map((text): DiffLine => ({ kind: 'missing', text })),
    ...came.slice(j).map((text): DiffLine => ({ kind: 'extra', text })),
  ];
}
