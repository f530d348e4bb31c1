import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type Order = Schemas['OrderView'];
export type OrderState = Schemas['OrderState'];
export type Side = Schemas['Side'];
export type Purchase = Schemas['PurchaseView'];
export type Entitlement = Schemas['EntitlementView'];
export type LicenceKey = Schemas['NewLicenceKeyView'];
export type LedgerTransaction = Schemas['TransactionView'];
export type LedgerAccount = Schemas['Account'];

const orderPath = (id: string) => `/api/v1/orders/${encodeURIComponent(id)}`;
const projectPath = (slug: string) => `/api/v1/projects/${encodeURIComponent(slug)}`;

export const orders = {
  /** What the one who asks has of a project. */
  purchase: (slug: string) => request<Purchase>('GET', `${projectPath(slug)}/purchase`),
  /** Answers with the open order when there is one. */
  place: (slug: string, idempotencyKey: string) =>
    request<Order>('POST', `${projectPath(slug)}/orders`, { body: {}, idempotencyKey }),
  bought: (query: PageQuery = {}) => request<Page<Order>>('GET', '/api/v1/me/orders', { query: { ...query } }),
  sold: (query: PageQuery = {}) => request<Page<Order>>('GET', '/api/v1/me/sales', { query: { ...query } }),
  one: (id: string) => request<Order>('GET', orderPath(id)),
  markPaid: (id: string, reference: string) =>
    request<Order>('POST', `${orderPath(id)}/mark-paid`, { body: { reference } }),
  cancel: (id: string) => request<Order>('POST', `${orderPath(id)}/cancel`),
  /** Minor units; null for all that is left. */
  refund: (id: string, amountMinor: number | null, idempotencyKey: string) =>
    request<Order>('POST', `${orderPath(id)}/refund`, { body: { amount_minor: amountMinor }, idempotencyKey }),
  /** For seller and administrators. */
  ledger: (id: string) => request<{ transactions: LedgerTransaction[] }>('GET', `${orderPath(id)}/ledger`),
  entitlements: (query: PageQuery = {}) =>
    request<Page<Entitlement>>('GET', '/api/v1/me/entitlements', { query: { ...query } }),
  /** The key before, if there was one, is good no more. */
  makeKey: (entitlementId: string) =>
    request<LicenceKey>('POST', `/api/v1/entitlements/${encodeURIComponent(entitlementId)}/licence-key`),
};
