import type { CollectionItem } from '#lib/api/index.ts';

/** An item by the id of its project, which is in a collection once. */
export type Item = CollectionItem & { id: string };

export const itemOf = (item: CollectionItem): Item => ({ ...item, id: item.project.id });

/** The items with one of them elsewhere, and the positions that they have then. `to` is an index in the list. */
export function moved(items: readonly Item[], id: string, to: number): readonly Item[] {
  const from = items.findIndex((item) => item.id === id);
  if (from < 0 || to < 0 || to >= items.length || to === from) return items;
  const rest = items.filter((item) => item.id !== id);
  const ordered = [...rest.slice(0, to), items[from]!, ...rest.slice(to)];
  // The places stay where they are; it is the items that change places.
  return ordered.map((item, index) => ({ ...item, position: items[index]!.position }));
}

/** The items without one; those behind it move up. */
export function without(items: readonly Item[], id: string): readonly Item[] {
  const gone = items.find((item) => item.id === id);
  if (!gone) return items;
  return items
    .filter((item) => item.id !== id)
    .map((item) => (item.position > gone.position ? { ...item, position: item.position - 1 } : item));
}

/** The items with one that was taken out back at its position; those from there on move down. */
export function restored(items: readonly Item[], item: Item): readonly Item[] {
  if (items.some((other) => other.id === item.id)) return items;
  const before = items.filter((other) => other.position < item.position);
  const behind = items.filter((other) => other.position >= item.position);
  return [...before, item, ...behind.map((other) => ({ ...other, position: other.position + 1 }))];
}
