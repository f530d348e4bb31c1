import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type ProjectStatus = Schemas['ProjectStatus'];
export type ProjectCard = Schemas['CardView'];
/** A card with why it was found; lists that nobody searched have no reasons. */
export type FoundCard = Schemas['ResultView'];
export type Reason = Schemas['ReasonView'];
export type Price = Schemas['PriceView'];
export type Facets = Schemas['FacetsView'];
export type FacetValue = Schemas['FacetValueView'];
export type FoundProjects = Schemas['SearchView'];
export type ProjectDraft = Schemas['ProjectDraft'];
export type ProjectChange = Schemas['ProjectChange'];
export type Profile = Schemas['ProfileView'];
export type PersonChange = Schemas['ProfileChange'];
/** `description_html` is the description as the server rendered and sanitised it. */
export type Project = Schemas['ProjectView'] & { description_html?: string };

export interface ProjectQuery extends PageQuery {
  q?: string;
  technologies?: readonly string[];
  license?: string | null;
  price?: string;
  tags?: readonly string[];
  featured?: boolean;
  sort?: string;
}

const projectPath = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}`;
const profilePath = (handle: string) => `/api/v1/users/${encodeURIComponent(handle)}`;

// Old slugs and handles answer with a redirect that `fetch` follows: compare what came with what was asked for.
export const marketplace = {
  search: (query: ProjectQuery, signal?: AbortSignal) =>
    request<FoundProjects>('GET', '/api/v1/projects', { query: { ...query }, signal }),
  project: (slug: string) => request<Project>('GET', projectPath(slug)),
  create: (body: ProjectDraft, idempotencyKey: string) =>
    request<Project>('POST', '/api/v1/projects', { body, idempotencyKey }),
  /** Refused with 412 when the project is no longer at this revision. */
  change: (slug: string, body: ProjectChange, revision: number) =>
    request<Project>('PATCH', projectPath(slug), { body, revision }),
  remove: (slug: string) => request<void>('DELETE', projectPath(slug)),
  star: (slug: string, wanted: boolean) =>
    request<{ starred: boolean; stars: number }>(wanted ? 'PUT' : 'DELETE', `${projectPath(slug)}/star`),
  /** Counts one download for each key, and tells where the project is to be had. */
  download: (slug: string, idempotencyKey: string) =>
    request<{ url: string }>('POST', `${projectPath(slug)}/downloads`, { idempotencyKey }),
  /** Markdown as a project's page will show it: HTML that is safe to show. */
  render: (text: string, repositoryUrl: string | null) =>
    request<{ html: string }>('POST', '/api/v1/markdown', { body: { text, repository_url: repositoryUrl } }),
  ownProjects: (query: PageQuery = {}) =>
    request<Page<ProjectCard>>('GET', '/api/v1/me/projects', { query: { ...query } }),

  person: (handle: string) => request<Profile>('GET', profilePath(handle)),
  /** Made by the first call: here somebody learns their handle. */
  ownProfile: () => request<Profile>('GET', '/api/v1/me/profile'),
  changePerson: (handle: string, body: PersonChange, revision: number) =>
    request<Profile>('PATCH', profilePath(handle), { body, revision }),
};
