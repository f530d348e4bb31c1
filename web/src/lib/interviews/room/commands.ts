import { theme } from '#lib/ui/theme.svelte.ts';
import { copyText } from '#lib/ui/clipboard.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { joinLink } from '../links.ts';
import { attempt, type Room } from './room.svelte.ts';

export interface Command {
  id: string;
  title: string;
  group: 'Code' | 'Interview' | 'People' | 'View';
  keys?: string;
  /** Offered in the menu of a small screen too. */
  phone?: boolean;
  danger?: boolean;
  run: () => void;
}

/** Everything a person can do here now, for the palette and the small menu. */
export function commandsFor(room: Room): Command[] {
  return [...codeCommands(room), ...interviewCommands(room), ...peopleCommands(room), ...viewCommands(room)];
}

function codeCommands(room: Room): Command[] {
  const { active } = room.runs;
  const maySwitch = room.isInterviewer || !room.live!.interview.frozen;
  const switches: Command[] = (maySwitch ? room.languages : [])
    .filter(({ id }) => id !== room.language)
    .map(({ id, name }) => ({
      id: `language-${id}`,
      title: `Switch to ${name}`,
      group: 'Code',
      run: () => void attempt(() => room.change({ language: id })),
    }));
  return [
    active
      ? {
          id: 'stop',
          title: 'Stop the run',
          group: 'Code',
          keys: 'mod+shift+enter',
          run: () => void attempt(() => room.halt()),
        }
      : {
          id: 'run',
          title: 'Run the code',
          group: 'Code',
          keys: 'mod+enter',
          run: () => void attempt(() => room.run()),
        },
    ...(room.tests.tests.length > 0 && !active
      ? [{ id: 'tests-run', title: 'Run the tests', group: 'Code', run: () => void room.runTests() } as const]
      : []),
    {
      id: 'terminal',
      title: room.layout.terminal ? 'Run without a terminal' : 'Run in a terminal',
      group: 'Code',
      run: () => room.layout.toggle('terminal'),
    },
    { id: 'focus', title: 'Go to the editor', group: 'Code', run: () => room.editor?.focus() },
    ...switches,
  ];
}

function interviewCommands(room: Room): Command[] {
  const { interview } = room.live!;
  if (!room.isInterviewer) {
    return [
      {
        id: 'leave',
        title: 'Leave the interview',
        group: 'Interview',
        phone: true,
        danger: true,
        run: () => (room.dialogs.leave = true),
      },
    ];
  }
  const commands: Command[] = [
    {
      id: 'freeze',
      title: interview.frozen ? 'Unfreeze the editor' : 'Freeze the editor',
      group: 'Interview',
      phone: true,
      run: () => void attempt(() => room.change({ frozen: !interview.frozen })),
    },
  ];
  if (interview.code) {
    commands.push({
      id: 'invite',
      title: 'Copy the invitation link',
      group: 'Interview',
      phone: true,
      run: () => void copyInvite(interview.code!),
    });
  }
  if (interview.state === 'scheduled') {
    commands.push({
      id: 'start',
      title: 'Start interview',
      group: 'Interview',
      phone: true,
      run: () => void attempt(() => room.begin()),
    });
  } else {
    commands.push({
      id: 'end',
      title: 'End interview',
      group: 'Interview',
      phone: true,
      danger: true,
      run: () => (room.dialogs.end = true),
    });
  }
  return commands;
}

async function copyInvite(code: string): Promise<void> {
  const done = await copyText(joinLink(code));
  toasts.show(done ? 'Link copied.' : `Copy it by hand: ${joinLink(code)}`, { tone: done ? 'good' : 'warn' });
}

function peopleCommands(room: Room): Command[] {
  const live = room.live!;
  const waiting: Command[] = live.isInterviewer
    ? live.waiting.map(({ id, name }) => ({
        id: `admit-${id}`,
        title: `Let in ${name}`,
        group: 'People',
        run: () => void attempt(() => room.decide(id, 'admit')),
      }))
    : [];
  const others = live.present.filter((participant) => !live.isSelf(participant) && room.peerOf(participant)?.cursor);
  const follow: Command[] = others.map((participant) => ({
    id: `follow-${participant.id}`,
    title: `Follow ${participant.name}`,
    group: 'People',
    run: () => room.follow(room.peerOf(participant)?.user.id ?? null),
  }));
  return [...waiting, ...follow];
}

function viewCommands(room: Room): Command[] {
  const { layout, dialogs } = room;
  const commands: Command[] = [
    { id: 'people', title: 'Show people', group: 'View', run: () => layout.showSide('people') },
    { id: 'chat', title: 'Show chat', group: 'View', run: () => layout.showSide('chat') },
    { id: 'output', title: 'Show output', group: 'View', run: () => layout.showOutput() },
    { id: 'tests', title: 'Show tests', group: 'View', run: () => layout.showTests() },
    {
      id: 'side',
      title: layout.sideOpen ? 'Hide the side' : 'Show the side',
      group: 'View',
      keys: 'mod+\\',
      run: () => layout.toggle('sideOpen'),
    },
    {
      id: 'lower',
      title: layout.lowerOpen ? 'Hide people and chat' : 'Show people and chat',
      group: 'View',
      run: () => layout.toggle('lowerOpen'),
    },
    {
      id: 'wrap',
      title: layout.wrap ? 'Do not wrap long lines' : 'Wrap long lines',
      group: 'View',
      phone: true,
      run: () => layout.toggle('wrap'),
    },
    {
      id: 'vim',
      title: layout.vim ? 'Turn Vim keys off' : 'Turn Vim keys on',
      group: 'View',
      run: () => layout.toggle('vim'),
    },
    { id: 'light', title: 'Light theme', group: 'View', run: () => (theme.wish = 'light') },
    { id: 'dark', title: 'Dark theme', group: 'View', run: () => (theme.wish = 'dark') },
    { id: 'system', title: 'Theme as the system', group: 'View', run: () => (theme.wish = 'system') },
    { id: 'keys', title: 'Show all keys', group: 'View', keys: '?', run: () => (dialogs.keys = true) },
  ];
  if (room.assistant.isHere(room.isInterviewer)) {
    commands.splice(2, 0, {
      id: 'assistant',
      title: 'Show the assistant',
      group: 'View',
      run: () => layout.showSide('assistant'),
    });
  }
  if (room.isInterviewer) {
    commands.splice(2, 0, {
      id: 'monitor',
      title: 'Show the monitor',
      group: 'View',
      run: () => layout.showSide('monitor'),
    });
  }
  return commands;
}

export const KEYS = [
  {
    title: 'Everywhere',
    shortcuts: [
      { keys: 'mod+enter', does: 'Run the code' },
      { keys: 'mod+shift+enter', does: 'Stop the run' },
      { keys: 'mod+k', does: 'Find any action' },
      { keys: 'mod+\\', does: 'Hide or show the side' },
      { keys: 'F6', does: 'Go to the next pane' },
      { keys: '?', does: 'Show these keys' },
    ],
  },
  {
    title: 'In the editor',
    shortcuts: [
      { keys: 'escape', does: 'Leave the editor' },
      { keys: 'mod+f', does: 'Search' },
      { keys: 'mod+d', does: 'Select the next occurrence' },
      { keys: 'mod+/', does: 'Comment out, or back in' },
      { keys: 'alt+up', does: 'Move the line up' },
      { keys: 'mod+z', does: 'Undo your own last change' },
    ],
  },
];
