import { ApiProblem, asProblem, identity } from '#lib/api/index.ts';
import { fragmentValue } from './next.ts';
import type { Session } from './session.svelte.ts';

/** The one-time link that the server prints on its first start. */
export class SetupLink {
  step = $state<'redeeming' | 'choose' | 'failed'>('redeeming');
  problem = $state.raw<ApiProblem | null>(null);
  #token: string | null = null;

  constructor(private readonly session: Session) {}

  async redeem(hash: string): Promise<void> {
    this.#token = fragmentValue(hash, 'token');
    if (this.#token) return this.retry();
    // The page was loaded again after the link had been used: the cookie is enough to go on.
    await this.session.load();
    if (this.session.isAdmin) this.step = 'choose';
    else this.#fail(noToken());
  }

  async retry(): Promise<void> {
    if (!this.#token) return;
    this.step = 'redeeming';
    this.problem = null;
    try {
      this.session.adopt(await identity.setup(this.#token));
      this.step = 'choose';
    } catch (error) {
      this.#fail(asProblem(error));
    }
  }

  #fail(problem: ApiProblem): void {
    this.problem = problem;
    this.step = 'failed';
  }
}

function noToken(): ApiProblem {
  return new ApiProblem({
    status: 400,
    title: 'This link is not complete.',
    action: 'Copy the whole line that the server printed on its first start.',
  });
}
