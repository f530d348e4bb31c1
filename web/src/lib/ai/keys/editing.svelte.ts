import { ai, type KeyLimits } from '#lib/api/ai.ts';
import { identity, type NewToken, type Token } from '#lib/api/index.ts';
import { asProblem } from '#lib/api/problem.ts';
import type { Lifetime } from '#lib/identity/keyring.svelte.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { placed } from '../placing.ts';
import { bodyOf, fieldsOf, limitsSomething, PLACES, type LimitFields } from './draft.ts';

/** A key in the form: a new one, or the limits of one that is there. */
export class KeyEditing {
  name = $state('');
  lifetime = $state<Lifetime>('90');
  limits = $state<LimitFields>(fieldsOf(null));
  /** Made already, while its limits are still refused: sending again makes no second one. */
  made = $state.raw<NewToken | null>(null);
  readonly submission = new Submission(...PLACES);
  readonly #token: Token | null;

  constructor(token: Token | null, limits: KeyLimits | null) {
    this.#token = token;
    this.limits = fieldsOf(limits);
  }

  get isNew(): boolean {
    return this.#token === null;
  }

  /** Answers with the limits that are in force; null where there are none. */
  async save(): Promise<KeyLimits | null> {
    try {
      const body = bodyOf($state.snapshot(this.limits) as LimitFields);
      const id = this.#token?.id ?? (await this.#make()).id;
      if (this.#token === null && !limitsSomething(body)) return null;
      return await ai.limitKey(id, body);
    } catch (error) {
      throw placed(asProblem(error), PLACES);
    }
  }

  async #make(): Promise<NewToken> {
    this.made ??= await identity.createToken({
      name: this.name.trim(),
      scopes: ['ai'],
      expires_in_days: Number(this.lifetime),
    });
    return this.made;
  }
}
