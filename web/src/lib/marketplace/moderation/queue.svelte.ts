import { moderation, type CaseCard, type CaseKind, type CaseState } from '#lib/api/moderation.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

export const STATES = [
  { value: 'open', label: 'Waiting' },
  { value: 'decided', label: 'Decided' },
  { value: 'all', label: 'All' },
] as const;
export const KINDS = [
  { value: 'all', label: 'Every kind' },
  { value: 'report', label: 'Reports' },
  { value: 'similar', label: 'Similar names' },
  { value: 'appeal', label: 'Appeals' },
] as const;

export interface QueueWish {
  state: (typeof STATES)[number]['value'];
  kind: (typeof KINDS)[number]['value'];
}

/** What the address asks for; what waits is what one comes for. */
export function wishOf(query: Pick<URLSearchParams, 'get'>): QueueWish {
  return {
    state: STATES.find(({ value }) => value === query.get('state'))?.value ?? 'open',
    kind: KINDS.find(({ value }) => value === query.get('kind'))?.value ?? 'all',
  };
}

/** What stands behind the path, without what is usual. */
export function queryOf({ state, kind }: QueueWish): string {
  const query = new URLSearchParams();
  if (state !== 'open') query.set('state', state);
  if (kind !== 'all') query.set('kind', kind);
  const text = query.toString();
  return text && `?${text}`;
}

/** Cases for moderators, opened last first. */
export class Queue {
  readonly paged = new Paged<CaseCard>((cursor) => this.#fetch(cursor));
  #wish: QueueWish = { state: 'open', kind: 'all' };

  async show(wish: QueueWish): Promise<void> {
    if (queryOf(wish) !== queryOf(this.#wish)) this.paged.clear();
    this.#wish = wish;
    await this.paged.reload();
  }

  #fetch(cursor: string | null) {
    const { state, kind } = this.#wish;
    return moderation.cases({
      cursor,
      limit: 50,
      state: state === 'all' ? undefined : (state satisfies CaseState),
      kind: kind === 'all' ? undefined : (kind satisfies CaseKind),
    });
  }
}
