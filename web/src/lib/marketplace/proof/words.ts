import type { ProofMethod, ProofState } from '#lib/api/index.ts';

export const METHOD_WORDS: Record<ProofMethod, { title: string; text: string; verified: string }> = {
  file: {
    title: 'A file in the repository',
    text: 'For whoever may commit to it, or put a file on its web site.',
    verified: 'by a file in it',
  },
  dns: {
    title: 'A DNS record',
    text: 'For whoever looks after the domain that the repository is on.',
    verified: 'by a DNS record of its host',
  },
  oidc: {
    title: 'A job of your CI',
    text: 'For whoever may run jobs in the repository. The job sends the token that its issuer gives it; nothing is left in the repository.',
    verified: 'by a job of its CI',
  },
};

export const STATE_WORDS: Record<ProofState, string> = {
  pending: 'Not proved yet',
  verified: 'Proved',
  failing: 'Failing',
  void: 'Not valid any more',
};
export const STATE_TONES = { pending: 'neutral', verified: 'good', failing: 'warn', void: 'bad' } as const;

/** What is to be put there, as it is typed. */
export const textOf = (method: ProofMethod, token: string): string =>
  method === 'dns' ? `opencode-verify=${token}` : token;

/** What the token is called where it goes, and the button that copies it. */
export const LINE_WORDS: Record<ProofMethod, { label: string; copy: string }> = {
  file: { label: 'Line', copy: 'Copy the token' },
  dns: { label: 'Text', copy: 'Copy the record' },
  oidc: { label: 'For', copy: 'Copy the audience' },
};

/** Names of files that are looked for; where the server knows no kind of repository, only the last. */
export const FILE_NAMES = ['opencode.txt', '.well-known/opencode.txt'] as const;
