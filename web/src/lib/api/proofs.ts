import { request } from './request.ts';
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Proof = Schemas['ProofView'];
export type ProofMethod = Schemas['ProofMethod'];
export type ProofState = Schemas['ProofState'];

const proofsPath = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}/proofs`;
const proofPath = (slug: string, id: string) => `${proofsPath(slug)}/${encodeURIComponent(id)}`;

export const proofs = {
  /** One for each method at the most. */
  list: (slug: string) => request<{ items: Proof[]; methods: ProofMethod[] }>('GET', proofsPath(slug)),
  /** Beginning twice is the same as once. */
  begin: (slug: string, method: ProofMethod) => request<Proof>('POST', proofsPath(slug), { body: { method } }),
  check: (slug: string, id: string) => request<Proof>('POST', `${proofPath(slug, id)}/check`),
  remove: (slug: string, id: string) => request<void>('DELETE', proofPath(slug, id)),
};
