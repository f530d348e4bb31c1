import { ApiProblem, interviews, keepSeat } from '#lib/api/index.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { CODE_LENGTH, readCode, showCode } from './code.ts';

const NAME_KEY = 'ocp.name';

/** A candidate on the way in: six digits and a name. */
export class Joining {
  #code = $state('');
  name = $state('');
  readonly submission = new Submission('code', 'name');

  readonly isComplete = $derived(this.#code.length === CODE_LENGTH && this.name.trim() !== '');

  constructor(code = '') {
    this.#code = readCode(code);
    this.name = rememberedName();
  }

  get code(): string {
    return showCode(this.#code);
  }

  set code(text: string) {
    this.#code = readCode(text);
  }

  get digits(): string {
    return this.#code;
  }

  /** Takes the seat and answers with the interview's id. */
  async join(): Promise<string> {
    this.#check();
    const name = this.name.trim();
    const joined = await interviews.join({ code: this.#code, name });
    keepSeat(joined.interview_id, { token: joined.token, participant_id: joined.participant.id, name });
    rememberName(name);
    return joined.interview_id;
  }

  #check(): void {
    const errors = [];
    if (this.#code.length !== CODE_LENGTH) {
      errors.push({ pointer: '/code', detail: 'The code has six digits. It is in your invitation.' });
    }
    if (this.name.trim() === '') {
      errors.push({ pointer: '/name', detail: 'Write the name that the interviewer knows you by.' });
    }
    if (errors.length > 0) throw new ApiProblem({ status: 400, title: 'Something is missing.', errors });
  }
}

function rememberedName(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

function rememberName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // A comfort only.
  }
}
