import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type FollowState = Schemas['FollowingView'];
export type FollowKind = Schemas['FollowKind'];
export type Followed = Schemas['FollowedView'];
export type FollowedSearch = Schemas['FollowedSearchView'];
export type FollowedSearchDraft = Schemas['FollowedSearchDraft'];
export type Review = Schemas['ReviewView'];
export type ReviewDraft = Schemas['ReviewDraft'];
export type ReviewOrder = Schemas['ReviewOrder'];
export type Ratings = Schemas['RatingsView'];
export type ReviewPage = Schemas['ReviewsView'];
export type Collection = Schemas['CollectionView'];
export type CollectionDraft = Schemas['CollectionDraft'];
export type CollectionChange = Schemas['CollectionChange'];
export type CollectionItem = Schemas['ItemView'];

/** What has followers. A search has one follower, so it is not among them. */
export type FollowTarget = { kind: 'person'; handle: string } | { kind: 'project'; slug: string };

const wish = (wanted: boolean) => (wanted ? 'PUT' : 'DELETE');
const part = encodeURIComponent;

const followPath = (target: FollowTarget) =>
  target.kind === 'person'
    ? `/api/v1/users/${part(target.handle)}/follow`
    : `/api/v1/projects/${part(target.slug)}/follow`;
const reviewPath = (id: string) => `/api/v1/reviews/${part(id)}`;
const collectionPath = (id: string) => `/api/v1/collections/${part(id)}`;
const itemPath = (id: string, slug: string) => `${collectionPath(id)}/items/${part(slug)}`;

export const following = {
  of: (target: FollowTarget) => request<FollowState>('GET', followPath(target)),
  set: (target: FollowTarget, wanted: boolean) => request<FollowState>(wish(wanted), followPath(target)),
  list: (kind: FollowKind, query: PageQuery = {}) =>
    request<Page<Followed>>('GET', '/api/v1/me/following', { query: { ...query, kind } }),
  searches: (query: PageQuery = {}) =>
    request<Page<FollowedSearch>>('GET', '/api/v1/me/searches', { query: { ...query } }),
  /** The same search again is the same one. */
  followSearch: (body: Partial<FollowedSearchDraft>) => request<FollowedSearch>('POST', '/api/v1/me/searches', { body }),
  unfollowSearch: (id: string) => request<void>('DELETE', `/api/v1/me/searches/${part(id)}`),
};

export const reviewing = {
  page: (slug: string, sort: ReviewOrder, query: PageQuery = {}) =>
    request<ReviewPage>('GET', `/api/v1/projects/${part(slug)}/reviews`, { query: { ...query, sort } }),
  /** Takes the place of one's earlier review. */
  write: (slug: string, body: ReviewDraft) =>
    request<Review>('PUT', `/api/v1/projects/${part(slug)}/review`, { body }),
  remove: (slug: string) => request<void>('DELETE', `/api/v1/projects/${part(slug)}/review`),
  mark: (id: string, wanted: boolean) =>
    request<{ marked: boolean; helpful: number }>(wish(wanted), `${reviewPath(id)}/helpful`),
  reply: (id: string, body: string) => request<Review>('PUT', `${reviewPath(id)}/reply`, { body: { body } }),
  removeReply: (id: string) => request<Review>('DELETE', `${reviewPath(id)}/reply`),
};

export const collecting = {
  create: (body: CollectionDraft, idempotencyKey: string) =>
    request<Collection>('POST', '/api/v1/collections', { body, idempotencyKey }),
  /** One's own; with a `project`, those that it is in. */
  own: (query: PageQuery & { project?: string } = {}) =>
    request<Page<Collection>>('GET', '/api/v1/me/collections', { query: { ...query } }),
  /** The public ones of somebody. */
  of: (handle: string, query: PageQuery = {}) =>
    request<Page<Collection>>('GET', `/api/v1/users/${part(handle)}/collections`, { query: { ...query } }),
  get: (id: string) => request<Collection>('GET', collectionPath(id)),
  change: (id: string, body: CollectionChange) => request<Collection>('PATCH', collectionPath(id), { body }),
  remove: (id: string) => request<void>('DELETE', collectionPath(id)),
  items: (id: string, query: PageQuery = {}) =>
    request<Page<CollectionItem>>('GET', `${collectionPath(id)}/items`, { query: { ...query } }),
  /** What is not given stays; a new project goes to the end. */
  put: (id: string, slug: string, body: { note?: string; position?: number } = {}) =>
    request<CollectionItem>('PUT', itemPath(id, slug), { body }),
  take: (id: string, slug: string) => request<void>('DELETE', itemPath(id, slug)),
};
