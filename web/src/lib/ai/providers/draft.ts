import type { AiProvider, Preset, ProviderBody, ProviderDialect, ProviderType } from '#lib/api/ai.ts';
import { ApiProblem, type FieldError } from '#lib/api/problem.ts';
import { complaintOf, entryOf, factsAbout, factsIn, namesIn, saysSomething, type FactsByModel } from './facts.ts';

/** A provider as it stands in the form; numbers are text until they are sent. */
export interface ProviderFields {
  name: string;
  /** Empty for an address of one's own. */
  preset: string;
  type: ProviderType;
  /** Empty for the one that the preset stands for, as the next one. */
  base_url: string;
  dialect: ProviderDialect | '';
  /** One a line. */
  models: string;
  facts: FactsByModel;
  discover: boolean;
  enabled: boolean;
  weight: string;
  concurrency: string;
}

/** Never read from the server, only written. */
export interface SecretFields {
  api_key: string;
  /** Takes away the key that is kept. */
  dropsKey: boolean;
  /** `Name: value`, one a line. */
  headers: string;
  dropsHeaders: boolean;
}

export const NEW_PROVIDER: ProviderFields = {
  name: '',
  preset: '',
  type: 'custom',
  base_url: '',
  dialect: '',
  models: '',
  facts: {},
  discover: true,
  enabled: true,
  weight: '1',
  concurrency: '',
};
export const NO_SECRETS: SecretFields = { api_key: '', dropsKey: false, headers: '', dropsHeaders: false };

export const FIELD_WORDS: Record<keyof ProviderFields, string> = {
  name: 'Name',
  preset: 'Service',
  type: 'Type',
  base_url: 'Address',
  dialect: 'Dialect',
  models: 'Models',
  facts: 'Facts of models',
  discover: 'Ask for its models',
  enabled: 'In use',
  weight: 'Weight',
  concurrency: 'Calls at once',
};
export const FIELD_NAMES = Object.keys(FIELD_WORDS) as (keyof ProviderFields)[];
/** Those that a complaint of the server may be about. */
export const PLACES = [...FIELD_NAMES, 'api_key', 'headers'] as const;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a change of a stored provider begins from. */
export function fieldsOf(provider: AiProvider): ProviderFields {
  const settings = provider.settings!;
  return {
    name: provider.name,
    preset: settings.preset ?? '',
    type: settings.type,
    base_url: settings.base_url ?? '',
    dialect: settings.dialect ?? '',
    models: (settings.models ?? []).map((each) => (typeof each === 'string' ? each : each.name)).join('\n'),
    facts: factsIn(settings.models ?? []),
    discover: settings.discover,
    enabled: settings.enabled,
    weight: String(settings.weight),
    concurrency: settings.concurrency == null ? '' : String(settings.concurrency),
  };
}

/** A kept key goes only where it went before. */
export function leadsElsewhere(before: ProviderFields, now: ProviderFields): boolean {
  return before.preset !== now.preset || before.base_url.trim() !== now.base_url.trim();
}

/**
 * What is sent. `before` is what is stored, or null.
 *
 * Throws an `ApiProblem` with every field that cannot be sent, or that is known to be refused.
 */
export function bodyOf(
  fields: ProviderFields,
  secrets: SecretFields,
  before: AiProvider | null,
  presets: readonly Preset[],
): ProviderBody {
  const models = namesIn(fields.models);
  const headers = headersOf(secrets.headers);
  const errors = [...complaints(fields, secrets, before, presets, models), ...headers.errors];
  if (errors.length > 0) throw new ApiProblem({ status: 400, title: 'The provider is not good', errors });
  const movesHeaders = before !== null && before.header_names.length > 0 && leadsElsewhere(fieldsOf(before), fields);
  return {
    type: fields.type,
    preset: fields.preset || null,
    dialect: fields.dialect || null,
    base_url: fields.base_url.trim() || null,
    api_key: secrets.api_key || (secrets.dropsKey ? '' : null),
    headers: secrets.headers.trim() || secrets.dropsHeaders || movesHeaders ? headers.values : null,
    models: models.map((name) => entryOf(name, factsAbout(fields.facts, name))),
    discover: fields.discover,
    enabled: fields.enabled,
    weight: Number(fields.weight),
    concurrency: fields.concurrency.trim() === '' ? null : Number(fields.concurrency),
    revision: before?.revision ?? 0,
  };
}

function complaints(
  fields: ProviderFields,
  secrets: SecretFields,
  before: AiProvider | null,
  presets: readonly Preset[],
  models: readonly string[],
): FieldError[] {
  const preset = presets.find(({ name }) => name === (fields.preset || fields.name));
  const errors: FieldError[] = [];
  const tell = (field: (typeof PLACES)[number], detail: string) => errors.push({ pointer: `/${field}`, detail });
  if (!NAME.test(fields.name)) tell('name', 'needs letters, digits, dot, _ and - only, 63 at most');
  if (!fields.base_url.trim() && !preset) tell('base_url', 'is needed for a service that has no preset');
  const hasKey = secrets.api_key !== '' || (before?.has_key === true && !secrets.dropsKey);
  if (preset?.needs_key && !fields.base_url.trim() && !hasKey) tell('api_key', 'is needed: this service answers nobody without one');
  if (models.length === 0 && !fields.discover && fields.enabled) {
    tell('models', 'are needed: name one, or let the provider be asked for them');
  }
  const wrong = models.map((name) => complaintOf(name, factsAbout(fields.facts, name))).find(Boolean);
  if (wrong) tell('facts', wrong);
  if (!isNumber(fields.weight)) tell('weight', 'must be a number, such as 1');
  if (fields.concurrency.trim() !== '' && !/^\d+$/.test(fields.concurrency.trim())) {
    tell('concurrency', 'must be a whole number');
  }
  return errors;
}

function headersOf(text: string): { values: Record<string, string>; errors: FieldError[] } {
  const values: Record<string, string> = {};
  const errors: FieldError[] = [];
  for (const line of text.split('\n').map((each) => each.trim())) {
    const colon = line.indexOf(':');
    if (line === '') continue;
    if (colon < 1) errors.push({ pointer: '/headers', detail: 'must be written as Name: value, one a line' });
    else values[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return { values, errors: errors.slice(0, 1) };
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/** The same text for the same value. Facts are told of models in one order, whatever order they were written in. */
function told(value: ProviderFields[keyof ProviderFields]): string {
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(Object.entries(value).filter(([, facts]) => saysSomething(facts)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What became of two changes of one provider, both begun from `base`: one's own stay, others are taken over. */
export function merged(base: ProviderFields, mine: ProviderFields, theirs: ProviderFields) {
  const differs = (a: ProviderFields, b: ProviderFields, name: keyof ProviderFields) => told(a[name]) !== told(b[name]);
  const changedThere = FIELD_NAMES.filter((name) => differs(theirs, base, name) && differs(theirs, mine, name));
  const taken = changedThere.filter((name) => !differs(mine, base, name));
  const conflicts = changedThere.filter((name) => differs(mine, base, name));
  const fields = taken.reduce((joined, name) => ({ ...joined, [name]: theirs[name] }), mine);
  return { fields, taken, conflicts };
}
