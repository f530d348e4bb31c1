import { request } from './request.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

/** A project as another place tells of it, with what it could not tell. */
export type ReadDraft = Schemas['DraftView'];

/** What a model would say of a project in its list. */
export type ListingSuggestion = Schemas['SuggestionView'];

/** What reading a project again has changed, and what it could not. */
export type SyncedProject = Schemas['SyncView'];

/** What a project's repository says otherwise than the project. */
export type SyncPreview = Schemas['SyncPreviewView'];
export type SyncOffer = Schemas['OfferView'];
export type SyncField = Schemas['SyncField'];

export const sources = {
  /** Whose pages can be read; none where the operator has named none. */
  hosts: () => request<{ hosts: string[] }>('GET', '/api/v1/projects/drafts'),
  read: (url: string) => request<ReadDraft>('POST', '/api/v1/projects/drafts', { body: { url } }),
  suggests: () => request<{ available: boolean }>('GET', '/api/v1/projects/suggestions'),
  suggest: (text: string) => request<ListingSuggestion>('POST', '/api/v1/projects/suggestions', { body: { text } }),
  /** Nothing is changed. */
  previewSync: (slug: string) =>
    request<SyncPreview>('POST', `/api/v1/projects/${encodeURIComponent(slug)}/sync/preview`),
  /** Takes these fields over and no other. Refused with 412 when the project is no longer at this revision. */
  sync: (slug: string, take: readonly SyncField[], revision: number) =>
    request<SyncedProject>('POST', `/api/v1/projects/${encodeURIComponent(slug)}/sync`, { body: { take }, revision }),
};
