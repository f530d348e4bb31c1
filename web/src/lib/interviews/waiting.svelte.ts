import {
  ApiProblem,
  asProblem,
  giveUpSeat,
  InterviewApi,
  type EventStream,
  type InterviewEvent,
  type OwnPlace,
  type ParticipantStatus,
  type StreamState,
} from '#lib/api/index.ts';

export type WaitingStep =
  | 'loading'
  | 'failed'
  /** This tab holds no seat in the interview. */
  | 'stranger'
  | 'ended'
  | ParticipantStatus;

/** A candidate before the door: knows who invites, and hears at once when the door opens. */
export class WaitingRoom {
  place = $state.raw<OwnPlace | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  line = $state<StreamState>('idle');
  #refused = $state(false);

  readonly step = $derived.by(() => this.#step());
  /** Still in the queue, but news cannot reach us at the moment. */
  readonly isCutOff = $derived(this.step === 'waiting' && this.line === 'waiting');

  readonly #api: InterviewApi;
  #stream: EventStream<InterviewEvent> | null = null;
  #closed = false;

  constructor(readonly interviewId: string) {
    this.#api = new InterviewApi(interviewId);
  }

  async open(): Promise<void> {
    this.problem = null;
    this.#refused = false;
    try {
      const place = await this.#api.me();
      if (this.#closed) return;
      this.place = place;
      if (this.step === 'waiting') this.#listen();
    } catch (error) {
      const problem = asProblem(error);
      this.#refused = isStrange(problem);
      this.problem = problem;
    }
  }

  close(): void {
    this.#closed = true;
    this.#stream?.stop();
  }

  /** Steps back from the door; the seat is given up. */
  async leave(): Promise<void> {
    const participant = await this.#api.leave();
    if (this.place) this.place = { ...this.place, participant };
    giveUpSeat(this.interviewId);
    this.#stream?.stop();
  }

  #step(): WaitingStep {
    if (this.place) return this.place.interview.state === 'ended' ? 'ended' : this.place.participant.status;
    if (this.#refused) return 'stranger';
    return this.problem ? 'failed' : 'loading';
  }

  #listen(): void {
    this.#stream?.stop();
    if (this.#closed) return;
    this.#stream = this.#api.events({
      onEvent: (event) => this.#hear(event),
      onState: (state) => {
        this.line = state;
        // The door may have opened before the stream did, or while the line was down.
        if (state === 'open' || state === 'refused') void this.#look();
      },
    });
    this.#stream.start();
  }

  #hear(event: InterviewEvent): void {
    if (!this.place) return;
    if ('participant' in event && event.participant.id === this.place.participant.id) {
      this.place = { ...this.place, participant: event.participant };
    }
    if ('interview' in event) {
      const { title, state } = event.interview;
      this.place = { ...this.place, interview: { ...this.place.interview, title, state } };
    }
    if (this.step !== 'waiting') this.#stream?.stop();
  }

  async #look(): Promise<void> {
    try {
      const place = await this.#api.me();
      if (this.#closed) return;
      this.place = place;
      if (this.step !== 'waiting') this.#stream?.stop();
    } catch (error) {
      const problem = asProblem(error);
      if (this.#closed || !isStrange(problem)) return;
      this.place = null;
      this.#refused = true;
      this.#stream?.stop();
    }
  }
}

/** The server does not know us here: no token, a token of another interview, or an interview that is gone. */
function isStrange({ status }: ApiProblem): boolean {
  return [401, 403, 404, 410].includes(status);
}
