import type { AiCall } from '#lib/api/ai.ts';

/** What became of a call, in words. */
export function outcome({ status }: Pick<AiCall, 'status'>): { words: string; tone: 'good' | 'neutral' | 'bad'; hint: string } {
  if (status === null) return { words: 'Cut off', tone: 'bad', hint: 'The server was stopped while it ran.' };
  if (status === 499) return { words: 'Left', tone: 'neutral', hint: 'Whoever asked did not wait for the end.' };
  if (status >= 500) return { words: 'Broke off', tone: 'bad', hint: `The answer ended too early (${status}).` };
  if (status >= 400) return { words: 'Refused', tone: 'bad', hint: `The provider refused it (${status}).` };
  return { words: 'Answered', tone: 'good', hint: `${status}` };
}

const FLAG_WORDS: Readonly<Record<string, string>> = {
  cached: 'from the cache',
  semantic: 'of a question like it',
  estimated: 'tokens estimated',
  retried: 'not at the first try',
};

/** What else is to be said of a call. */
export function remarks({ flags }: Pick<AiCall, 'flags'>): string[] {
  return flags.flatMap((flag) => FLAG_WORDS[flag] ?? []);
}
