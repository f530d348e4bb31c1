import type { ProofMethod, ProofState } from '#lib/api/index.ts';

export const METHODS = ['file', 'dns'] as const satisfies readonly ProofMethod[];

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

/** Names of files that are looked for; where the server knows no kind of repository, only the last. */
export const FILE_NAMES = ['opencode.txt', '.well-known/opencode.txt'] as const;
