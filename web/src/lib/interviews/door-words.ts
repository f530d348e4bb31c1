import type { WaitingStep } from './waiting.svelte.ts';

interface DoorWords {
  title: string;
  text: string;
  /** What the button to the join page says; none where joining again would not help. */
  joins?: string;
}

/** What somebody reads who does not get in, or not now. */
export function doorWords(step: WaitingStep, interviewer: string | null): DoorWords {
  const who = interviewer ?? 'The interviewer';
  switch (step) {
    case 'declined':
      return {
        title: 'You were not let in',
        text: `${who} did not open the door this time. If you are expected, write to them, then join again.`,
        joins: 'Join again',
      };
    case 'removed':
      return {
        title: 'You were asked to leave',
        text: `${who} has taken you out of this interview. If you think that was a slip, write to them.`,
      };
    case 'left':
      return { title: 'You have left', text: 'You gave up your place at the door.', joins: 'Join again' };
    case 'ended':
      return { title: 'This interview is over', text: 'It ended before you came in. Ask for a new code if you are expected.' };
    default:
      return {
        title: 'You have no place here yet',
        text: 'This tab has not joined the interview. Join with the six-digit code from your invitation.',
        joins: 'Join with a code',
      };
  }
}
