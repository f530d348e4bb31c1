/** What a person reads when there is no room to show, and never why somebody decided so. */
export const FACES = {
  'signed-out': {
    title: 'Sign in to open this interview',
    text: 'It belongs to an account. Candidates join with the code that they were sent.',
  },
  waiting: { title: 'You will be let in', text: 'The interviewer has been told that you are here.' },
  declined: { title: 'You were not let in', text: 'If you think this is a mistake, ask the person who invited you.' },
  removed: {
    title: 'You are no longer in this interview',
    text: 'The interviewer has closed your access. You can close this page.',
  },
  left: { title: 'You have left', text: 'Thank you for your time. You can close this page.' },
  'not-admitted': { title: 'This interview is not open to you', text: 'Ask the person who invited you for the code.' },
  'not-found': { title: 'There is no such interview', text: 'The address may be mistyped, or the interview was deleted.' },
  ended: { title: 'The interview has ended', text: 'Thank you for your time. You can close this page.' },
  incompatible: {
    title: 'This page and the server do not understand each other',
    text: 'The server has probably been updated. Load the page again.',
  },
} as const;
