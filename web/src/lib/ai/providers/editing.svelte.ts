import { ai, type AiProvider, type Preset } from '#lib/api/ai.ts';
import { ApiProblem, asProblem } from '#lib/api/problem.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { placed } from '../placing.ts';
import {
  bodyOf,
  fieldsOf,
  leadsElsewhere,
  merged,
  NEW_PROVIDER,
  NO_SECRETS,
  PLACES,
  type ProviderFields,
  type SecretFields,
} from './draft.ts';

/** Somebody else saved the provider in the meantime. */
export interface Meeting {
  theirs: ProviderFields;
  taken: readonly (keyof ProviderFields)[];
  conflicts: readonly (keyof ProviderFields)[];
}

/** A provider in the form, new or changed. */
export class ProviderEditing {
  fields = $state<ProviderFields>({ ...NEW_PROVIDER });
  secrets = $state<SecretFields>({ ...NO_SECRETS });
  /** What is stored, as it was read last; null for a new one. */
  before = $state.raw<AiProvider | null>(null);
  meeting = $state.raw<Meeting | null>(null);
  readonly submission = new Submission(...PLACES);
  readonly moves = $derived(this.before !== null && leadsElsewhere(fieldsOf(this.before), this.fields));

  readonly #presets: () => readonly Preset[];

  constructor(before: AiProvider | null, presets: () => readonly Preset[]) {
    this.before = before;
    this.#presets = presets;
    if (before) this.fields = fieldsOf(before);
  }

  /** Takes a service, and its name where one was not thought of. */
  choose(preset: string): void {
    const chosen = this.#presets().find(({ name }) => name === preset);
    const isOwnName = this.fields.name !== '' && this.fields.name !== this.fields.preset;
    if (this.before === null && !isOwnName) this.fields.name = preset;
    this.fields.preset = preset;
    this.fields.type = chosen?.type ?? 'custom';
  }

  /** Answers with the provider when it is stored and in force. */
  async save(): Promise<AiProvider | undefined> {
    try {
      const body = bodyOf($state.snapshot(this.fields), this.secrets, this.before, this.#presets());
      return await ai.putProvider(this.fields.name, body);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 412) throw placed(problem, PLACES);
      if (this.before !== null) return await this.#meet(this.before);
      const detail = 'is taken by another provider';
      throw new ApiProblem({ status: 412, title: problem.title, errors: [{ pointer: '/name', detail }] });
    }
  }

  /** Takes what was saved elsewhere in place of what was typed here. */
  takeTheirs(name: keyof ProviderFields): void {
    const { meeting } = this;
    if (!meeting) return;
    this.fields = { ...this.fields, [name]: meeting.theirs[name] };
    this.meeting = { ...meeting, conflicts: meeting.conflicts.filter((other) => other !== name) };
  }

  async #meet(before: AiProvider): Promise<undefined> {
    const now = await ai.provider(before.name);
    const theirs = fieldsOf(now);
    const { fields, taken, conflicts } = merged(fieldsOf(before), this.fields, theirs);
    this.before = now;
    this.fields = fields;
    this.meeting = { theirs, taken, conflicts };
    return undefined;
  }
}
