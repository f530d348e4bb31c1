import { identity, type NewToken, type Token } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

export const SCOPES = [
  { value: 'interviews:read', label: 'Read interviews', does: 'Your interviews, their runs and records.' },
  { value: 'interviews:write', label: 'Hold interviews', does: 'Create, change, start, end and delete them.' },
  { value: 'run', label: 'Run programs', does: 'On this server, within its limits.' },
  { value: 'ai', label: 'Ask models', does: 'Through the AI gateway, within your limits.' },
] as const;

export const LIFETIMES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
] as const;
export type Lifetime = (typeof LIFETIMES)[number]['value'];

/** My API tokens: made, shown once, revoked. */
export class Keyring {
  readonly paged = new Paged<Token>((cursor) => identity.tokens({ cursor }));
  readonly submission = new Submission('name', 'scopes', 'expires_in_days');
  name = $state('');
  scopes = $state<string[]>(['interviews:read', 'interviews:write']);
  lifetime = $state<Lifetime>('90');
  /** The one just made, with its secret; gone for ever once it is put away. */
  fresh = $state.raw<NewToken | null>(null);

  async create(): Promise<void> {
    const made = await identity.createToken({
      name: this.name.trim(),
      scopes: this.scopes,
      expires_in_days: Number(this.lifetime),
    });
    const { token: _secret, ...listed } = made;
    this.paged.prepend({ ...listed, last_used_at: null });
    this.fresh = made;
    this.name = '';
  }

  putAway(): void {
    this.fresh = null;
  }

  async revoke(id: string): Promise<void> {
    await identity.revokeToken(id);
    this.paged.remove(id);
    if (this.fresh?.id === id) this.putAway();
  }
}
