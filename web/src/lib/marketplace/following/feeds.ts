import { resolve } from '$app/paths';
import { addressOf, chosenOf, type Wish } from '../search/wish.ts';

/** The feed of new projects that a search finds. It has an order of its own: the newest first. */
export function feedOfSearch(wish: Wish): string {
  const asked = { ...wish, sort: 'relevance' as const };
  const [only, ...more] = chosenOf(asked);
  if (!asked.q.trim() && !only) return at('projects.atom');
  if (!asked.q.trim() && only?.facet === 'tags' && more.length === 0) return feedOfTag(only.value);
  return at('search.atom') + addressOf(asked);
}

export const feedOfPerson = (handle: string): string => at(`users/${encodeURIComponent(handle)}.atom`);
const feedOfTag = (tag: string): string => at(`tags/${encodeURIComponent(tag)}.atom`);

// Feeds are no pages of the application, so `resolve` knows the place where they begin and nothing of them.
const at = (path: string): string => `${resolve('')}feeds/${path}`;
