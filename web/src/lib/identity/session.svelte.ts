import { createContext } from 'svelte';
import { asProblem, identity, transport, type ApiProblem, type User } from '#lib/api/index.ts';

export type SessionStatus = 'unknown' | 'signed-in' | 'signed-out' | 'failed';

/** Who sits at this browser. One per page, made by the root layout. */
export class Session {
  user = $state.raw<User | null>(null);
  status = $state<SessionStatus>('unknown');
  problem = $state.raw<ApiProblem | null>(null);

  readonly isAdmin = $derived(this.user?.roles.includes('admin') ?? false);
  readonly canModerate = $derived(this.user?.permissions.includes('projects:moderate') ?? false);
  readonly canUseAi = $derived(this.user?.permissions.includes('ai:use') ?? false);
  readonly canManageAi = $derived(this.user?.permissions.includes('ai:manage') ?? false);
  readonly canInterview = $derived(this.user?.permissions.includes('interviews:create') ?? false);

  #loading: Promise<void> | null = null;

  constructor() {
    transport.signedOut = () => this.forget();
  }

  /** Asks the server once, however many pages want to know. */
  load(): Promise<void> {
    if (this.status === 'signed-in' || this.status === 'signed-out') return Promise.resolve();
    this.#loading ??= this.#ask().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** After signing in, or after a change of the account. */
  adopt(user: User): void {
    this.user = user;
    this.status = 'signed-in';
    this.problem = null;
  }

  /** The server no longer knows us. */
  forget(): void {
    this.user = null;
    this.status = 'signed-out';
  }

  async #ask(): Promise<void> {
    try {
      const { user } = await identity.session();
      if (user) this.adopt(user);
      else this.forget();
    } catch (error) {
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }
}

export const [getSession, setSession] = createContext<Session>();
