import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type AiModel = Schemas['ModelView'];
export type ModelPrice = Schemas['ModelPriceView'];
export type AiProvider = Schemas['ProviderView'];
export type ProviderBody = Schemas['ProviderBody'];
export type ModelEntry = Schemas['ModelEntry'];
export type ModelCapability = Schemas['Capability'];
export type ProviderType = Schemas['ProviderType'];
export type ProviderDialect = Schemas['Dialect'];
export type Preset = Schemas['PresetView'];
export type HealthState = Schemas['HealthState'];
export type AiConfiguration = Schemas['ConfigurationView'];
export type ConfigurationValue = Schemas['ValueView'];
export type UsageReport = Schemas['UsageView'];
export type UsagePart = Schemas['PartView'];
export type UsageSums = Schemas['SumsView'];
export type UsageBy = Schemas['ReportBy'];
export type AiCall = Schemas['CallView'];
export type AiBudget = Schemas['BudgetView'];
export type BudgetPeriod = Schemas['Period'];
export type KeyLimits = Schemas['KeyLimitsView'];
export type KeyLimitsBody = Schemas['KeyLimitsBody'];
export type AiLimits = Schemas['LimitsView'];
export type LimitsBody = Schemas['LimitsBody'];

/** Whose calls, with which key, of which model or provider; what is left out is not asked for. */
export interface CallFilters {
  person?: string | null;
  key?: string | null;
  model?: string | null;
  provider?: string | null;
}

const AI = '/api/v1/ai';
const keyPath = (tokenId: string) => `${AI}/keys/${encodeURIComponent(tokenId)}/limits`;
const limitsPath = (whose: string) => `${AI}/limits/${encodeURIComponent(whose)}`;
const providerPath = (name: string) => `${AI}/providers/${encodeURIComponent(name)}`;

export const ai = {
  models: (query: PageQuery = {}) => request<Page<AiModel>>('GET', `${AI}/models`, { query: { ...query } }),
  presets: () => request<{ items: Preset[] }>('GET', `${AI}/presets`),
  providers: (query: PageQuery = {}) => request<Page<AiProvider>>('GET', `${AI}/providers`, { query: { ...query } }),
  provider: (name: string) => request<AiProvider>('GET', providerPath(name)),
  testProvider: (name: string) => request<AiProvider>('POST', `${providerPath(name)}/test`),
  /** Refused with 412 when the provider is no longer at the revision in the body. */
  putProvider: (name: string, body: ProviderBody) => request<AiProvider>('PUT', providerPath(name), { body }),
  removeProvider: (name: string) => request<void>('DELETE', providerPath(name)),
  configuration: () => request<AiConfiguration>('GET', `${AI}/configuration`),
  values: (query: PageQuery = {}) =>
    request<Page<ConfigurationValue>>('GET', `${AI}/configuration/values`, { query: { ...query } }),
  /** `from` is the first day, in UTC; the last one is today. */
  usage: (query: CallFilters & { by: UsageBy; from: string }) =>
    request<UsageReport>('GET', `${AI}/usage`, { query: { ...query } }),
  calls: (query: CallFilters & PageQuery = {}) => request<Page<AiCall>>('GET', `${AI}/calls`, { query: { ...query } }),
  budgets: (query: PageQuery & { everybody?: boolean } = {}) =>
    request<Page<AiBudget>>('GET', `${AI}/budgets`, { query: { ...query } }),
  /** For administrators: of everybody, teams and persons. */
  limits: (query: PageQuery = {}) => request<Page<AiLimits>>('GET', `${AI}/limits`, { query: { ...query } }),
  limitsOf: (whose: string) => request<AiLimits>('GET', limitsPath(whose)),
  /** `version`: of what is changed; refused with 412 when they have another one. */
  setLimits: (whose: string, body: LimitsBody, version: string) =>
    request<AiLimits>('PUT', limitsPath(whose), { body, revision: version }),
  removeLimits: (whose: string, version: string) => request<void>('DELETE', limitsPath(whose), { revision: version }),
  /** Those of one's own keys that have limits, or for administrators of everybody's. */
  keys: (query: PageQuery & { everybody?: boolean } = {}) => request<Page<KeyLimits>>('GET', `${AI}/keys`, { query: { ...query } }),
  limitKey: (tokenId: string, body: KeyLimitsBody) => request<KeyLimits>('PUT', keyPath(tokenId), { body }),
};
