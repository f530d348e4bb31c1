import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type Notice = Schemas['NoticeView'];
export type NoticeKind = Schemas['NoticeKind'];
export type MailWhen = Schemas['MailWhen'];
export type NoticeChoice = Schemas['ChoiceView'];
export type NoticePreferences = Schemas['PreferencesView'];
export type NewWebhook = Schemas['NewWebhookView'];
export type Webhook = Omit<NewWebhook, 'secret'>;
export type WebhookDraft = Schemas['WebhookBody'];
export type WebhookChange = Schemas['WebhookChange'];
export type Delivery = Schemas['DeliveryView'];

/** What the event stream of an inbox says. `unread` counts all of it. */
export type NoticeNews =
  | { type: 'notice.given'; notice: Notice; unread: number }
  | { type: 'notices.counted'; unread: number };

export interface NoticeQuery extends PageQuery {
  unread?: boolean;
}

const NOTICES = '/api/v1/me/notices';
const WEBHOOKS = '/api/v1/me/webhooks';
const webhookPath = (id: string) => `${WEBHOOKS}/${encodeURIComponent(id)}`;

export const NOTICE_EVENTS = `${NOTICES}/events`;

export const notifications = {
  list: (query: NoticeQuery) => request<Page<Notice>>('GET', NOTICES, { query: { ...query } }),
  count: () => request<{ unread: number }>('GET', `${NOTICES}/count`),
  /** Both answer with how many are unread now; what comes later than `up_to` stays unread. */
  read: (ids: string[]) => request<{ unread: number }>('POST', `${NOTICES}/read`, { body: { ids } }),
  readAll: (upTo: string) =>
    request<{ unread: number }>('POST', `${NOTICES}/read`, { body: { all: true, up_to: upTo } }),
  remove: (id: string) => request<void>('DELETE', `${NOTICES}/${encodeURIComponent(id)}`),

  preferences: () => request<NoticePreferences>('GET', `${NOTICES}/preferences`),
  /** Kinds that are not named have their defaults again. */
  choose: (kinds: Record<string, NoticeChoice>) =>
    request<NoticePreferences>('PUT', `${NOTICES}/preferences`, { body: { kinds } }),

  webhooks: (query: PageQuery = {}) => request<Page<Webhook>>('GET', WEBHOOKS, { query: { ...query } }),
  webhook: (id: string) => request<Webhook>('GET', webhookPath(id)),
  createWebhook: (body: WebhookDraft) => request<NewWebhook>('POST', WEBHOOKS, { body }),
  changeWebhook: (id: string, body: WebhookChange) => request<Webhook>('PATCH', webhookPath(id), { body }),
  removeWebhook: (id: string) => request<void>('DELETE', webhookPath(id)),
  rotateWebhook: (id: string) => request<NewWebhook>('POST', `${webhookPath(id)}/rotate`),
  testWebhook: (id: string) => request<Delivery>('POST', `${webhookPath(id)}/test`),
  deliveries: (id: string, query: PageQuery = {}) =>
    request<Page<Delivery>>('GET', `${webhookPath(id)}/deliveries`, { query: { ...query } }),
  replay: (id: string, deliveryId: string) =>
    request<Delivery>('POST', `${webhookPath(id)}/deliveries/${encodeURIComponent(deliveryId)}/replay`),
};
