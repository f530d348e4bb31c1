import { resolve } from '$app/paths';
import { addressOf, EVERYTHING, type Wish } from './search/wish.ts';

export const projectLink = (slug: string): string => resolve(`projects/${slug}`);
export const editLink = (slug: string): string => resolve(`projects/${slug}/edit`);
export const personLink = (handle: string): string => resolve(`people/${handle}`);
export const orderLink = (id: string): string => resolve(`orders/${id}`);

/** The search for this alone. */
export const searchLink = (wish: Partial<Wish>): string => resolve('projects') + addressOf({ ...EVERYTHING, ...wish });
