import type { Interview, InterviewEvent, Message, Participant, ParticipantStatus } from '#lib/api/types.ts';

/** Who looks at this page. An interviewer is known by their account, a candidate by their place in this interview. */
export interface Self {
  id: string;
  name: string;
  role: 'interviewer' | 'candidate';
}

const OF_INTERVIEW: readonly InterviewEvent['type'][] = [
  'interview.started',
  'interview.ended',
  'interview.changed',
  'interview.frozen',
  'language.changed',
];
const GONE: readonly ParticipantStatus[] = ['declined', 'removed', 'left'];

/** The interview as the last snapshot and every event since then say it. Reducing an event twice changes nothing. */
export class LiveInterview {
  interview = $state.raw<Interview>()!;
  participants = $state.raw<readonly Participant[]>([]);
  readonly self: Self;
  #told = 0;

  readonly isInterviewer: boolean;
  readonly waiting = $derived(this.participants.filter(({ status }) => status === 'waiting'));
  readonly present = $derived(this.participants.filter(({ status }) => status === 'admitted').sort(byRole));
  readonly ended = $derived(this.interview.state === 'ended');
  readonly own = $derived(this.participants.find((participant) => this.isSelf(participant)) ?? null);

  constructor(self: Self, interview: Interview, participants: readonly Participant[]) {
    this.self = self;
    this.isInterviewer = self.role === 'interviewer';
    this.interview = interview;
    this.participants = participants;
  }

  isSelf(participant: Participant): boolean {
    return participant.id === this.self.id || (this.isInterviewer && participant.role === 'interviewer');
  }

  isOwn(author: Message['author']): boolean {
    return author.id === this.self.id || (this.isInterviewer && author.role === 'interviewer');
  }

  /**
   * Takes the answer to a call, unless the stream has told something meanwhile: an answer may be older than that, and
   * what it says comes with the stream too, in its right place.
   */
  async answered<T>(call: Promise<T>, take: (answer: T) => void): Promise<void> {
    const known = this.#told;
    const answer = await call;
    if (this.#told === known) take(answer);
  }

  reduce(event: InterviewEvent): void {
    if ('participant' in event || OF_INTERVIEW.includes(event.type)) this.#told += 1;
    switch (event.type) {
      case 'interview.started':
      case 'interview.ended':
      case 'interview.changed':
        this.interview = { ...this.interview, ...event.interview };
        return;
      case 'interview.frozen':
        this.interview = { ...this.interview, frozen: event.frozen };
        return;
      case 'language.changed':
        this.interview = withLanguage(this.interview, event.language);
        return;
      default:
        if ('participant' in event) this.put(event.participant);
    }
  }

  put(participant: Participant): void {
    const others = this.participants.filter(({ id }) => id !== participant.id);
    this.participants = GONE.includes(participant.status) && !this.isSelf(participant) ? others : [...others, participant];
  }

  replace(interview: Interview): void {
    this.interview = interview;
  }
}

/** Interviewers first, then in the order in which people came. */
function byRole(a: Participant, b: Participant): number {
  if (a.role !== b.role) return a.role === 'interviewer' ? -1 : 1;
  return a.joined_at.localeCompare(b.joined_at);
}

function withLanguage(interview: Interview, language: string): Interview {
  const languages = interview.languages.includes(language) ? interview.languages : [...interview.languages, language];
  return { ...interview, language, languages };
}
