import { asProblem, identity, type ApiProblem, type AuthPolicy } from '#lib/api/index.ts';

/** Who may create an account on this server. */
export class Policy {
  rules = $state.raw<AuthPolicy | null>(null);
  problem = $state.raw<ApiProblem | null>(null);

  /** Worth a link: anyone may, or the very first account is still to be made. */
  readonly offersSignUp = $derived(this.rules?.registration === 'open' || this.rules?.first_account === true);

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.rules = await identity.policy();
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** How the sign-up page greets somebody who came with an invite, or without one. */
  door(hasInvite: boolean): 'asking' | 'open' | 'first' | 'invited' | 'invite-needed' | 'closed' {
    if (!this.rules) return 'asking';
    if (this.rules.first_account) return 'first';
    if (this.rules.registration === 'closed') return 'closed';
    if (hasInvite) return 'invited';
    return this.rules.registration === 'open' ? 'open' : 'invite-needed';
  }
}
