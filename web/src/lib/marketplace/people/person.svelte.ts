import { asProblem, marketplace, type ApiProblem, type PersonChange, type Profile } from '#lib/api/index.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { ownHandle } from './own-handle.svelte.ts';

/** Somebody's profile, and one's own as it is being changed. */
export class PersonVisit {
  profile = $state.raw<Profile | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  readonly submission = new Submission('display_name', 'handle', 'bio', 'avatar', 'skills', 'location', 'website', 'github');
  #handle = '';

  /** Answers with the handle that the person has now, which may be another one. */
  async load(handle: string): Promise<string | null> {
    if (this.profile?.handle !== handle) this.profile = null;
    this.#handle = handle;
    this.problem = null;
    try {
      const profile = await marketplace.person(handle);
      if (this.#handle !== handle) return null;
      this.profile = profile;
      return profile.handle;
    } catch (error) {
      if (this.#handle === handle) this.problem = asProblem(error);
      return null;
    }
  }

  /** Throws `ApiProblem`; with 412 the profile was changed elsewhere, and the next try is for what is there now. */
  async change(body: PersonChange): Promise<void> {
    const { profile } = this;
    if (!profile) return;
    try {
      this.profile = await marketplace.changePerson(profile.handle, body, profile.revision);
    } catch (error) {
      if (asProblem(error).status === 412) this.profile = await marketplace.person(profile.handle);
      throw error;
    }
    this.#handle = this.profile.handle;
    ownHandle.adopt(this.profile.handle);
  }
}
