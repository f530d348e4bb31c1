/** What a long list draws of rows that all have one height. */
export interface Rows {
  first: number;
  /** The row after the last. */
  end: number;
}

/** Browsers lose track of the places in elements that are higher; 16 million CSS pixels work in all of them. */
const HIGHEST_PX = 16_000_000;

/**
 * The rows to draw.
 *
 * `top`: of the list, relative to the top of the viewport, in pixels; negative once it is scrolled past.
 * `spare`: rows drawn beyond each edge, so that quick scrolling meets no gaps.
 */
export function rowsInView(top: number, viewport: number, rowHeight: number, count: number, spare: number): Rows {
  const first = Math.floor(-top / rowHeight) - spare;
  const end = Math.ceil((viewport - top) / rowHeight) + spare;
  return { first: between(0, first, count), end: between(0, end, count) };
}

/** How high a list of so many rows is. */
export function heightOf(count: number, rowHeight: number): number {
  return Math.min(count * rowHeight, Math.floor(HIGHEST_PX / rowHeight) * rowHeight);
}

const between = (least: number, value: number, most: number) => Math.min(Math.max(value, least), most);
