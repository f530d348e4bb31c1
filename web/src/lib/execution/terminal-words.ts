import type { Run } from '#lib/api/types.ts';
import type { TerminalSession } from './terminal-session.svelte.ts';

type Told = Pick<TerminalSession, 'phase' | 'mayType' | 'size' | 'stopped'>;

/** What a person needs to know about a terminal, in a few words. */
export function terminalNote({ phase, mayType, size, stopped }: Told, run: Run): string {
  switch (phase) {
    case 'connecting':
      return 'Opening the terminal';
    case 'waiting':
      return 'Connection lost, trying again';
    case 'ended':
      return 'The program has ended';
    case 'stopped':
      if (run.state === 'finished') return 'The program has ended';
      return stopped === 'ended' ? 'The interview has ended' : 'This terminal is not open to you';
    case 'live':
      if (!mayType) return 'You can watch, not type';
      return size ? `Everybody in the room sees this · ${size.columns} × ${size.rows}` : 'Everybody in the room sees this';
  }
}
