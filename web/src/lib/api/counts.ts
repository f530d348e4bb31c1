import { request } from './request.ts';
import type { components } from './schema.d.ts';

export type CountedDay = components['schemas']['DayView'];
export type Counters = components['schemas']['CountersView'];

export const counts = {
  /** Of projects that everybody sees; others are left out. They are counted the moment that somebody does something. */
  now: (ids: readonly string[]) =>
    request<{ items: Counters[] }>('GET', '/api/v1/projects/counters', { query: { ids: ids.join(',') } }),
  /** The oldest day first; the last is today, and not over yet. */
  days: (slug: string, days: number) =>
    request<{ days: CountedDay[] }>('GET', `/api/v1/projects/${encodeURIComponent(slug)}/days`, { query: { days } }),
  /** People's downloads in each of the last 12 weeks, the oldest first; projects that have none are left out. */
  weeks: (ids: readonly string[]) =>
    request<{ downloads: Record<string, number[]> }>('GET', '/api/v1/projects/weeks', { query: { ids } }),
};
