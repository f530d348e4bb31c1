/**
 * The points of a line through these values, for a plot `width` by `height` with zero at its foot.
 *
 * `most`: the value at the top; at least 1, so that nothing at all is a line at the foot.
 */
export function pointsOf(values: readonly number[], width: number, height: number, most = Math.max(...values)): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const scale = height / Math.max(1, most);
  return values.map((value, index) => `${rounded(index * step)},${rounded(height - value * scale)}`).join(' ');
}

/** The place, counted from 0, that is nearest to this share (0 to 1) of the width. */
export function nearest(share: number, count: number): number {
  return Math.min(Math.max(Math.round(share * (count - 1)), 0), Math.max(0, count - 1));
}

const rounded = (value: number) => Math.round(value * 10) / 10;
