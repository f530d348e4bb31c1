import { resolve } from '$app/paths';
import { addressOf, EVERYTHING, type Wish } from './search/wish.ts';

export const projectLink = (slug: string): string => resolve(`projects/${slug}`);
export const editLink = (slug: string): string => resolve(`projects/${slug}/edit`);
export const releasesLink = (slug: string): string => resolve(`projects/${slug}/releases`);
export const proofLink = (slug: string): string => resolve(`projects/${slug}/proof`);
export const personLink = (handle: string): string => resolve(`people/${handle}`);
export const orderLink = (id: string): string => resolve(`orders/${id}`);
export const caseLink = (id: string): string => resolve(`moderation/${id}`);
export const collectionLink = (id: string): string => resolve(`collections/${id}`);

/** Signing in, and back to here. `part`: of the page, by its id. */
export const signInLink = ({ pathname, search }: Pick<URL, 'pathname' | 'search'>, part = ''): string =>
  `${resolve('sign-in')}?next=${encodeURIComponent(pathname + search + (part && `#${part}`))}`;

/** The search for this alone. */
export const searchLink = (wish: Partial<Wish>): string => resolve('projects') + addressOf({ ...EVERYTHING, ...wish });
