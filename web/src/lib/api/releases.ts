import type { PageQuery } from './identity.ts';
import { request, transport } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';
import { upload, type UploadOptions } from './upload.ts';

type Schemas = components['schemas'];

export type Release = Schemas['ReleaseView'];
/** A release in a list: how many files it has, not which. */
export type ReleaseCard = Schemas['ReleaseCardView'];
export type ReleaseFile = Schemas['FileView'];
export type ReleaseDraft = Schemas['ReleaseDraft'];
export type ReleaseChange = Schemas['ReleaseChange'];

const part = encodeURIComponent;
const releasesPath = (slug: string) => `/api/v1/projects/${part(slug)}/releases`;
const releasePath = (slug: string, version: string) => `${releasesPath(slug)}/${part(version)}`;

/** Where a file is downloaded, seen from this page. */
export const filePath = (slug: string, version: string, name: string): string =>
  `${releasePath(slug, version)}/files/${part(name)}`;

export const releases = {
  /** The newest version first. */
  list: (slug: string, query: PageQuery = {}) =>
    request<Page<ReleaseCard>>('GET', releasesPath(slug), { query: { ...query } }),
  one: (slug: string, version: string) => request<Release>('GET', releasePath(slug, version)),
  publish: (slug: string, body: Partial<ReleaseDraft>, idempotencyKey: string) =>
    request<Release>('POST', releasesPath(slug), { body, idempotencyKey }),
  change: (slug: string, version: string, body: ReleaseChange) =>
    request<Release>('PATCH', releasePath(slug, version), { body }),
  /** Refused once somebody has downloaded a file of it. */
  remove: (slug: string, version: string) => request<void>('DELETE', releasePath(slug, version)),
  removeFile: (slug: string, version: string, name: string) => request<void>('DELETE', filePath(slug, version, name)),
  /**
   * Answers once the download of a file is counted, of which its own link hears nothing; with false when it is refused.
   * It gets the first byte: whoever gets the rest is the same visitor, and is not counted again.
   */
  counted: async (slug: string, version: string, name: string): Promise<boolean> => {
    const { ok } = await transport.fetch(filePath(slug, version, name), {
      headers: { range: 'bytes=0-0' },
      credentials: 'same-origin',
      cache: 'no-store',
    });
    return ok;
  },
  /** The same content again is the same file. */
  upload: (slug: string, version: string, file: File, options: UploadOptions) =>
    upload<ReleaseFile>(filePath(slug, version, file.name), file, options),
};
