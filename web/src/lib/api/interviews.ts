import { EventStream, type EventStreamOptions } from './events.ts';
import type { PageQuery } from './identity.ts';
import { request, type Method, type RequestOptions } from './request.ts';
import { seatIn } from './seats.ts';
import type {
  AssistantPlace,
  Interview,
  InterviewChange,
  InterviewDraft,
  InterviewEvent,
  Joined,
  Language,
  Message,
  OwnPlace,
  Page,
  Participant,
  Question,
  Run,
  RunRequest,
  SeenSignal,
  Signal,
  Summary,
  SummaryPlace,
  Ticket,
} from './types.ts';

export const interviews = {
  list: (query: PageQuery = {}) => request<Page<Interview>>('GET', '/api/v1/interviews', { query: { ...query } }),
  create: (body: InterviewDraft, idempotencyKey?: string) =>
    request<Interview>('POST', '/api/v1/interviews', { body, idempotencyKey }),
  join: (body: { code: string; name: string }) => request<Joined>('POST', '/api/v1/join', { body }),
  languages: () => request<{ items: Language[] }>('GET', '/api/v1/languages'),
};

/** The record of an interview, as far as a page reads it: texts by interview and language. */
interface Exported {
  code: Record<string, Record<string, { content: string }>>;
}

type Verdict = 'admit' | 'decline' | 'remove';

/**
 * One interview, spoken to by whoever sits here: with the candidate's token when this tab has joined it, with the
 * cookie otherwise.
 */
export class InterviewApi {
  readonly #path: string;

  constructor(
    readonly id: string,
    readonly token: string | null = seatIn(id)?.token ?? null,
  ) {
    this.#path = `/api/v1/interviews/${encodeURIComponent(id)}`;
  }

  get = () => this.#call<Interview>('GET', '');
  change = (body: InterviewChange) => this.#call<Interview>('PATCH', '', { body });
  start = () => this.#call<Interview>('POST', '/start');
  end = () => this.#call<Interview>('POST', '/end');
  delete = () => this.#call<void>('DELETE', '');

  me = () => this.#call<OwnPlace>('GET', '/me');
  leave = () => this.#call<Participant>('POST', '/leave');
  participants = () => this.#call<Page<Participant>>('GET', '/participants', { query: { limit: 200 } });
  decide = (participantId: string, verdict: Verdict) =>
    this.#call<Participant>('POST', `/participants/${encodeURIComponent(participantId)}/${verdict}`);

  runs = (query: PageQuery = {}) => this.#call<Page<Run>>('GET', '/runs', { query: { ...query } });
  startRun = (body: RunRequest = {}) => this.#call<Run>('POST', '/runs', { body });
  run = (runId: string) => this.#request<Run>('GET', `/api/v1/runs/${encodeURIComponent(runId)}`);
  terminalTicket = (runId: string) =>
    this.#request<Ticket>('POST', `/api/v1/runs/${encodeURIComponent(runId)}/tickets`);
  stopRun = (runId: string) => this.#request<Run>('POST', `/api/v1/runs/${encodeURIComponent(runId)}/stop`);

  messages = (query: PageQuery = {}) => this.#call<Page<Message>>('GET', '/messages', { query: { ...query } });
  say = (text: string) => this.#call<Message>('POST', '/messages', { body: { text } });

  assistant = () => this.#call<AssistantPlace>('GET', '/assistant');
  questions = (query: PageQuery = {}) =>
    this.#call<Page<Question>>('GET', '/assistant/questions', { query: { ...query } });
  ask = (body: { text: string; include_code: boolean }) => this.#call<Question>('POST', '/assistant/questions', { body });
  stopAnswer = (questionId: string) =>
    this.#call<Question>('POST', `/assistant/questions/${encodeURIComponent(questionId)}/stop`);

  summary = () => this.#call<SummaryPlace>('GET', '/summary');
  /** While there is a draft already, and `replaces` is not its id, that one is the answer. */
  draftSummary = (body: { model?: string; replaces?: string }) => this.#call<Summary>('POST', '/summary', { body });
  changeSummary = (body: { id: string; text: string; revision: number }) => this.#call<Summary>('PUT', '/summary', { body });
  acceptSummary = (body: { id: string; revision: number }) => this.#call<Summary>('POST', '/summary/accept', { body });
  discardSummary = (id: string) => this.#call<void>('DELETE', '/summary', { query: { id } });

  /** At most 20 at once. */
  report = (signals: Signal[]) => this.#call<void>('POST', '/signals', { body: { signals } });
  signals = (query: PageQuery = {}) => this.#call<Page<SeenSignal>>('GET', '/signals', { query: { ...query } });

  export = () => this.#call<Exported>('GET', '/export');
  ticket = (documentId: string) =>
    this.#request<Ticket>('POST', `/api/v1/documents/${encodeURIComponent(documentId)}/tickets`);

  /** The live stream; it runs after `start()` and until `stop()`. */
  events(options: Pick<EventStreamOptions<InterviewEvent>, 'onEvent' | 'onState' | 'after'>): EventStream<InterviewEvent> {
    return new EventStream<InterviewEvent>({ ...options, url: `${this.#path}/events`, token: this.token });
  }

  #call<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    return this.#request<T>(method, this.#path + path, options);
  }

  #request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    return request<T>(method, path, { ...options, token: this.token });
  }
}
