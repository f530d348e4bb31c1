import type { ModelCapability, ModelEntry } from '#lib/api/ai.ts';

/** What is said of a model beyond its name, as it stands in the form: numbers are text until they are sent. */
export interface ModelFacts {
  context_window: string;
  max_output_tokens: string;
  /** Null leaves them to the catalogue and the provider. */
  capabilities: readonly ModelCapability[] | null;
  /** US dollars for a million tokens. */
  input: string;
  output: string;
  cached_input: string;
  cache_write: string;
}
/** By the names of models; those of whom nothing is said are not in it. */
export type FactsByModel = Readonly<Record<string, ModelFacts>>;

export const NO_FACTS: ModelFacts = {
  context_window: '',
  max_output_tokens: '',
  capabilities: null,
  input: '',
  output: '',
  cached_input: '',
  cache_write: '',
};
const COUNTS = ['context_window', 'max_output_tokens'] as const;
const PRICES = ['input', 'output', 'cached_input', 'cache_write'] as const;
export const FACT_WORDS = {
  context_window: 'Window',
  max_output_tokens: 'Longest answer',
  input: 'Price of input',
  output: 'Price of output',
  cached_input: 'Price of cached input',
  cache_write: 'Price of written cache',
} as const;

/** The names that stand in the form, one a line. */
export function namesIn(text: string): string[] {
  return text.split('\n').map((each) => each.trim()).filter(Boolean);
}

export function factsIn(models: readonly (string | ModelEntry)[]): FactsByModel {
  return Object.fromEntries(models.flatMap((each) => (typeof each === 'string' ? [] : [[each.name, factsOf(each)]])));
}

function factsOf({ context_window, max_output_tokens, capabilities, price }: ModelEntry): ModelFacts {
  return {
    context_window: written(context_window),
    max_output_tokens: written(max_output_tokens),
    capabilities: capabilities ?? null,
    input: written(price?.input),
    output: written(price?.output),
    cached_input: written(price?.cached_input),
    cache_write: written(price?.cache_write),
  };
}

/** A model may be called as something that every object has. */
export function factsAbout(facts: FactsByModel, name: string): ModelFacts | undefined {
  return Object.hasOwn(facts, name) ? facts[name] : undefined;
}

export function saysSomething(facts: ModelFacts | undefined): facts is ModelFacts {
  return facts !== undefined && (facts.capabilities !== null || [...COUNTS, ...PRICES].some((name) => facts[name].trim()));
}

/** What is wrong with what is said of a model; empty for nothing. */
export function complaintOf(name: string, facts: ModelFacts | undefined): string {
  if (!saysSomething(facts)) return '';
  const count = COUNTS.find((each) => facts[each].trim() && !/^\d{1,9}$/.test(facts[each].trim()));
  if (count) return `of ${name}: ${FACT_WORDS[count].toLowerCase()} must be a whole number of tokens`;
  const price = PRICES.find((each) => facts[each].trim() && !(Number(facts[each]) >= 0 && Number(facts[each]) <= 1e6));
  if (price) return `of ${name}: ${FACT_WORDS[price].toLowerCase()} must be a number of dollars, such as 0.15`;
  const needsInput = !facts.input.trim() && PRICES.some((each) => facts[each].trim());
  return needsInput ? `of ${name}: the price of input is missing; write 0 where it costs nothing` : '';
}

/** A model as it is sent: its name alone where nothing is said of it. */
export function entryOf(name: string, facts: ModelFacts | undefined): string | ModelEntry {
  if (!saysSomething(facts)) return name;
  const number = (text: string) => (text.trim() ? Number(text) : null);
  const input = number(facts.input);
  return {
    name,
    context_window: number(facts.context_window),
    max_output_tokens: number(facts.max_output_tokens),
    capabilities: facts.capabilities ? [...facts.capabilities] : null,
    price:
      input === null
        ? null
        : {
            input,
            // What is not written costs as much as what it is a kind of; nothing, for an answer.
            output: number(facts.output) ?? 0,
            cached_input: number(facts.cached_input),
            cache_write: number(facts.cache_write),
          },
  };
}

const written = (value: number | null | undefined): string => (value == null ? '' : String(value));
