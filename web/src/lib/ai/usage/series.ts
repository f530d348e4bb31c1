import type { UsagePart, UsageReport, UsageSums } from '#lib/api/ai.ts';
import type { Measure } from './wish.ts';

/** What is told as a sum of days; latencies have none. */
export type Summed = Exclude<Measure, 'latency'>;

/** One part of each day. */
export interface Series {
  name: string;
  label: string;
  look: Look;
  values: readonly number[];
  total: number;
}

/** Classes: colours differ in lightness, too, and gaps part the bars. */
interface Look {
  bar: string;
  dot: string;
}

const LOOKS: readonly Look[] = [
  { bar: 'fill-person-0', dot: 'bg-person-0' },
  { bar: 'fill-person-1', dot: 'bg-person-1' },
  { bar: 'fill-person-2', dot: 'bg-person-2' },
  { bar: 'fill-person-3', dot: 'bg-person-3' },
  { bar: 'fill-person-6', dot: 'bg-person-6' },
  { bar: 'fill-person-5', dot: 'bg-person-5' },
];
const OTHERS_LOOK: Look = { bar: 'fill-ink-3', dot: 'bg-ink-3' };
const BROKEN_LOOK: Look = { bar: 'fill-bad', dot: 'bg-bad rounded-none! rotate-45' };

const tokensOf = (sums: UsageSums) => sums.input_tokens + sums.output_tokens;
const SUM: Record<Summed, (sums: UsageSums) => number> = {
  spend: (sums) => Number(sums.cost_usd),
  calls: (sums) => sums.calls,
  tokens: tokensOf,
};
const BY_DAY: Record<Summed, (part: UsagePart) => readonly number[]> = {
  spend: (part) => part.cost_usd_by_day.map(Number),
  calls: (part) => part.calls_by_day,
  tokens: (part) => part.tokens_by_day,
};

export const sumOf = (show: Summed, sums: UsageSums): number => SUM[show](sums);

/** What there was on each day of a report by day. */
export const valuesOf = (show: Summed, days: UsageReport): number[] => days.parts.map(({ sums }) => SUM[show](sums));

/**
 * The parts of each day, the largest first; those that are too many for the eye are one.
 *
 * `split`: the report by what the days are split by; null leaves them whole, as far as they have no natural parts.
 */
export function seriesOf(
  show: Summed,
  days: UsageReport,
  split: UsageReport | null,
  labelOf: (part: UsagePart) => string,
): Series[] {
  if (!split) return whole(show, days);
  const parts = split.parts
    .map((part) => ({ part, total: SUM[show](part.sums) }))
    .filter(({ total }) => total > 0)
    .sort((one, other) => other.total - one.total);
  const shown = parts.slice(0, parts.length > LOOKS.length ? LOOKS.length - 1 : LOOKS.length);
  const series = shown.map(({ part, total }, index) => ({
    name: part.name,
    label: labelOf(part),
    look: LOOKS[index]!,
    values: BY_DAY[show](part),
    total,
  }));
  const rest = valuesOf(show, days).map((value, day) => left(value, series.map(({ values }) => values[day] ?? 0)));
  const total = sum(rest);
  return total > 0 ? [...series, { name: '*', label: 'Others', look: OTHERS_LOOK, values: rest, total }] : series;
}

function whole(show: Summed, days: UsageReport): Series[] {
  const line = (name: string, label: string, look: Look, value: (sums: UsageSums) => number): Series => {
    const values = days.parts.map(({ sums }) => value(sums));
    return { name, label, look, values, total: sum(values) };
  };
  if (show === 'tokens') {
    return [
      line('input', 'Input', LOOKS[0]!, (sums) => sums.input_tokens),
      line('output', 'Output', LOOKS[1]!, (sums) => sums.output_tokens),
    ];
  }
  if (show === 'calls') {
    return [
      line('answered', 'Answered', LOOKS[0]!, (sums) => sums.calls - sums.errors),
      line('broken', 'Broke off', BROKEN_LOOK, (sums) => sums.errors),
    ];
  }
  return [line('all', 'All calls', LOOKS[0]!, SUM.spend)];
}

/** What is left of a sum without its parts. Less than a nano-dollar is what numbers with a point make of nothing. */
function left(whole: number, parts: readonly number[]): number {
  const rest = whole - sum(parts);
  return rest > 5e-10 ? rest : 0;
}

/** Where the bars of a day begin and end when they stand on each other. */
export function stacked(series: readonly Series[], day: number): { from: number; to: number }[] {
  let height = 0;
  return series.map(({ values }) => {
    const from = height;
    height += values[day] ?? 0;
    return { from, to: height };
  });
}

const ROUND = [1, 2, 2.5, 3, 4, 5, 6, 8, 10];
/** Below ten and below a hundred: halves of these are whole. */
const ROUND_ONES = [2, 4, 6, 8, 10];
const ROUND_TENS = [1, 2, 3, 4, 5, 6, 8, 10];

/** The top of an axis for values up to `most`: a round number, and so is its half. What is counted has no fractions. */
export function axisTop(most: number, counted: boolean): number {
  const wanted = counted ? Math.max(most, 2) : most;
  if (wanted <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factors = !counted || power >= 100 ? ROUND : power < 10 ? ROUND_ONES : ROUND_TENS;
  const factor = factors.find((each) => each * power >= wanted * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Values as shares (0 to 1) of the largest. */
export function shares(values: readonly number[]): number[] {
  const most = Math.max(...values);
  return values.map((value) => (most > 0 ? value / most : 0));
}

/** The stretches of a line that has no value on some days: places and values of each. */
export function stretches(values: readonly (number | null)[]): { place: number; value: number }[][] {
  const found: { place: number; value: number }[][] = [];
  let open = false;
  values.forEach((value, place) => {
    if (value !== null) {
      if (open) found.at(-1)!.push({ place, value });
      else found.push([{ place, value }]);
    }
    open = value !== null;
  });
  return found;
}

/** The lines of a small plot, 100 by 32 with zero at its foot, and what lies below each. Unknown days have neither. */
export function sparks(values: readonly (number | null)[]): { line: string; area: string }[] {
  const heights = shares(values.map((value) => value ?? 0));
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return stretches(values).map((stretch) => {
    // A day alone is a line without length, which round ends make a dot.
    const points = [...stretch, ...stretch.slice(-1)].map(
      ({ place }) => [tenth(place * step), tenth(32 - heights[place]! * 32)] as const,
    );
    const line = points.map((point) => point.join(',')).join(' ');
    return { line, area: `${points[0]![0]},32 ${line} ${points.at(-1)![0]},32` };
  });
}

/** The band of so many, side by side, that is at this share (0 to 1) of the width. */
export function bandAt(share: number, count: number): number {
  return Math.min(Math.max(Math.floor(share * count), 0), Math.max(0, count - 1));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
