import { createContext } from 'svelte';
import { Connection } from '#lib/collaboration/connection.svelte.ts';
import { Peers, type Peer } from '#lib/collaboration/peers.svelte.ts';
import type { CodeEditor } from '#lib/editor/code-editor.ts';
import { Runs } from '#lib/execution/runs.svelte.ts';
import { RunsJudge } from '#lib/execution/tests/judge.ts';
import { TestBook } from '#lib/execution/tests/test-book.svelte.ts';
import { TestRound } from '#lib/execution/tests/test-round.svelte.ts';
import { verdictOf } from '#lib/execution/verdict.ts';
import type { EventStream, StreamState } from '#lib/api/events.ts';
import { identity } from '#lib/api/identity.ts';
import { interviews, InterviewApi } from '#lib/api/interviews.ts';
import { ApiProblem, asProblem } from '#lib/api/problem.ts';
import { giveUpSeat } from '#lib/api/seats.ts';
import type { InterviewEvent, Language, Participant, ParticipantStatus } from '#lib/api/types.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { Announcer } from './announcer.svelte.ts';
import { Assistant } from './assistant.svelte.ts';
import { Chat } from './chat.svelte.ts';
import { Dialogs } from './dialogs.svelte.ts';
import { Layout } from './layout.svelte.ts';
import { LiveInterview, type Self } from './live-interview.svelte.ts';
import { Monitor } from './monitor.svelte.ts';
import { Observer } from './observer.ts';
import { Quiet } from './quiet.ts';
import { browserStorage } from './storage.ts';
import { SecondHand } from './timer.svelte.ts';

/** What the page shows: the room itself, or why there is none. */
export type Face =
  | 'loading'
  | 'room'
  | 'failed'
  | 'signed-out'
  | 'waiting'
  | 'declined'
  | 'removed'
  | 'left'
  | 'not-admitted'
  | 'not-found'
  | 'ended'
  | 'incompatible';

const FACE_OF_STATUS: Partial<Record<ParticipantStatus, Face>> = {
  waiting: 'waiting',
  declined: 'declined',
  removed: 'removed',
  left: 'left',
};
/** A stream that says nothing for this long after it opened has told all of the past. */
const STREAM_QUIET_MS = 100;
const STREAM_PATIENCE_MS = 2_000;
const RUNS_SHOWN = 20;

/** Everything one open interview page holds; it starts with the page and leaves nothing behind when the page goes. */
export class Room {
  readonly api: InterviewApi;
  readonly layout: Layout;
  readonly announcer = new Announcer();
  readonly dialogs = new Dialogs();
  readonly seconds = new SecondHand();
  readonly runs: Runs;
  readonly chat: Chat;
  readonly assistant: Assistant;
  readonly monitor = new Monitor();
  readonly tests: TestBook;
  readonly round: TestRound;

  live = $state.raw<LiveInterview | null>(null);
  connection = $state.raw<Connection | null>(null);
  observer: Observer | null = null;
  languages = $state.raw<readonly Language[]>([]);
  problem = $state.raw<ApiProblem | null>(null);
  stream = $state<StreamState>('idle');
  /** Whose caret the editor keeps in sight. */
  following = $state<string | null>(null);
  /** Where our own caret is, for the status line. */
  caret = $state.raw({ line: 1, column: 1, selected: 0 });
  editor: CodeEditor | null = null;

  #outcome = $state<Face | null>(null);
  readonly face: Face = $derived(this.#read());
  readonly language = $derived(this.live?.interview.language ?? '');
  readonly languageInfo = $derived(this.languages.find(({ id }) => id === this.language) ?? null);
  readonly fileName = $derived(this.languageInfo?.file_name ?? 'main');
  readonly peers = $derived(this.connection?.replica ? new Peers(this.connection.replica.awareness) : null);
  readonly isInterviewer = $derived(this.live?.isInterviewer ?? false);
  readonly followed = $derived(this.peers?.all.find(({ user }) => user.id === this.following) ?? null);
  readonly canType = $derived(this.connection?.canWrite === true && !(this.live?.interview.frozen && !this.isInterviewer));
  /** Why the editor does not take what is typed, in a few words. */
  readonly readOnlyReason: string | null = $derived(this.#whyReadOnly());

  /** Why this person can run nothing now, in a few words; null when they can. */
  readonly runRefusal: string | null = $derived(this.#whyNoRun());

  #events: EventStream<InterviewEvent> | null = null;
  #early: [event: InterviewEvent, seq: number][] | null = [];
  #stopped = false;

  constructor(readonly id: string) {
    this.api = new InterviewApi(id);
    this.layout = new Layout(browserStorage('localStorage'), globalThis.matchMedia?.('(max-width: 48rem)').matches);
    this.runs = new Runs(this.api);
    this.chat = new Chat(this.api);
    this.assistant = new Assistant(this.api);
    this.tests = new TestBook(browserStorage('localStorage'), id);
    this.round = new TestRound(new RunsJudge(this.runs, () => this.language));
  }

  async start(): Promise<void> {
    try {
      const self = await this.#identify();
      if (!self || this.#stopped) return;
      await this.#listen();
      await this.#load(self);
    } catch (error) {
      if (!this.#stopped) this.#fail(asProblem(error));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#events?.stop();
    this.connection?.close();
    this.observer?.stop();
    this.announcer.stop();
  }

  /** Load the interview again after a failure. */
  readonly retry = (): void => {
    this.problem = null;
    this.#outcome = null;
    this.#events?.stop();
    this.#early = [];
    void this.start();
  };

  async #identify(): Promise<Self | null> {
    if (this.api.token === null) {
      const { user } = await identity.session();
      if (!user) {
        this.#outcome = 'signed-out';
        return null;
      }
      return { id: user.id, name: user.display_name, role: 'interviewer' };
    }
    const { participant, interview } = await this.api.me();
    this.#outcome = interview.state === 'ended' ? 'ended' : (FACE_OF_STATUS[participant.status] ?? null);
    return this.#outcome ? null : { id: participant.id, name: participant.name, role: participant.role };
  }

  /**
   * Open the stream and let it tell what it has to tell of the past. What is fetched after that knows all of it, so
   * the past is dropped, and every event from then on is news.
   */
  async #listen(): Promise<void> {
    const told = new Quiet(STREAM_QUIET_MS, STREAM_PATIENCE_MS);
    this.#events = this.api.events({
      onEvent: (event, id) => {
        told.touch();
        this.#take(event, Number(id));
      },
      onState: (state, problem) => {
        this.stream = state;
        if (state === 'open') told.touch();
        if (state === 'refused' && problem) this.#refused(problem);
      },
    });
    this.#events.start();
    await told.reached;
    this.#early = [];
  }

  async #load(self: Self): Promise<void> {
    const none = Promise.resolve({ items: [], next_cursor: null });
    const [interview, participants, runs, messages, languages, signals, questions] = await Promise.all([
      this.api.get(),
      this.api.participants(),
      this.api.runs({ limit: RUNS_SHOWN }),
      this.api.messages({ limit: 200 }),
      interviews.languages(),
      self.role === 'interviewer' ? this.api.signals({ limit: 200 }) : none,
      this.api.questions({ limit: 200 }),
      this.assistant.look(),
    ]);
    if (this.#stopped) return;
    this.languages = languages.items;
    this.runs.load(runs.items);
    this.chat.load(messages.items);
    this.monitor.load(signals.items);
    this.assistant.load(questions.items);
    this.live = new LiveInterview(self, interview, participants.items);
    for (const [event, seq] of this.#early?.splice(0) ?? []) this.#reduce(event, seq);
    this.#early = null;
    if (!this.live.ended) this.#connect();
  }

  #connect(): void {
    const { document_id: documentId } = this.live!.interview;
    const origin = globalThis.location.origin.replace(/^http/, 'ws');
    this.connection = new Connection({
      documentId,
      url: `${origin}/api/v1/documents/${encodeURIComponent(documentId)}`,
      ticket: async () => (await this.api.ticket(documentId)).ticket,
      storage: browserStorage('sessionStorage'),
    });
    this.connection.open();
    if (!this.isInterviewer) {
      this.observer = new Observer((signals) => this.api.report(signals));
      this.observer.start(document, window);
    }
  }

  #take(event: InterviewEvent, seq: number): void {
    if (this.#early) this.#early.push([event, seq]);
    else this.#reduce(event, seq);
  }

  #reduce(event: InterviewEvent, seq: number): void {
    const live = this.live!;
    live.reduce(event);
    this.runs.reduce(event);
    if (event.type === 'chat.message') this.chat.take(event.message, live.isOwn(event.message.author));
    this.assistant.reduce(event, live.self.id, seq);
    if (event.type === 'monitor.signal') {
      this.monitor.take({ ...event.signal, participant_id: event.participant_id, at: event.at });
    }
    if (event.type === 'interview.ended') this.observer?.stop();
    this.#tell(event);
  }

  #tell(event: InterviewEvent): void {
    const sentence = this.#sentenceFor(event);
    if (sentence) this.announcer.say(sentence);
    const live = this.live!;
    const byOther = 'by' in event && event.by !== null && event.by.name !== live.self.name;
    if (event.type === 'language.changed' && byOther) {
      toasts.show(`${event.by!.name} switched to ${this.nameOf(event.language)}.`);
    }
  }

  #sentenceFor(event: InterviewEvent): string | null {
    if ('participant' in event) {
      const { name } = event.participant;
      if (this.live!.isSelf(event.participant)) return null;
      const words: Record<string, string> = {
        'participant.joined': `${name} asks to be let in.`,
        'participant.admitted': `${name} joined.`,
        'participant.left': `${name} left.`,
        'participant.removed': `${name} was removed.`,
        'participant.offline': `${name} went offline.`,
        'participant.online': `${name} is back.`,
      };
      return words[event.type] ?? null;
    }
    if (event.type === 'run.finished' && this.round.running) return null;
    if (event.type === 'run.finished') return event.run.message ?? `Run finished: ${verdictOf(event.run).word}.`;
    if (event.type === 'assistant.asked') return `${event.question.asked_by.name} asks the assistant.`;
    if (event.type === 'assistant.finished') return 'The assistant has answered.';
    if (event.type === 'assistant.failed') return event.question.failure;
    if (event.type === 'interview.frozen') return event.frozen ? 'The editor is frozen.' : 'The editor is open again.';
    if (event.type === 'language.changed') return `The language is now ${this.nameOf(event.language)}.`;
    return event.type === 'interview.ended' ? 'The interview has ended.' : null;
  }

  nameOf(language: string): string {
    return this.languages.find(({ id }) => id === language)?.name ?? language;
  }

  #fail(problem: ApiProblem): void {
    if (problem.status === 401) this.#outcome = this.api.token ? 'removed' : 'signed-out';
    else if (problem.status === 403) this.#outcome = 'not-admitted';
    else if (problem.status === 404) this.#outcome = 'not-found';
    else this.problem = problem;
  }

  #refused(problem: ApiProblem): void {
    if (this.live) this.#fail(problem);
  }

  #read(): Face {
    if (this.#outcome) return this.#outcome;
    if (this.problem) return 'failed';
    if (!this.live) return 'loading';
    if (this.live.ended) return 'ended';
    const status = this.live.own?.status;
    const gone = status && FACE_OF_STATUS[status];
    if (gone) return gone;
    return this.connection?.stopped ?? 'room';
  }

  #whyReadOnly(): string | null {
    if (this.canType || !this.connection?.replica) return null;
    if (this.live?.interview.frozen && !this.isInterviewer) return 'The interviewer has frozen the editor';
    if (this.connection.role === 'read') return 'You can read, not write';
    return 'Loading the current text';
  }

  #whyNoRun(): string | null {
    const interview = this.live?.interview;
    if (this.languageInfo && !this.languageInfo.available) return this.languageInfo.reason;
    if (this.isInterviewer || !interview) return null;
    if (interview.frozen) return 'No runs while the editor is frozen';
    return interview.state === 'live' ? null : 'Programs run once the interview has started';
  }

  // What a person does.

  async leave(): Promise<void> {
    await this.api.leave();
    giveUpSeat(this.id);
    this.#outcome = 'left';
  }

  async change(change: { title?: string; language?: string; frozen?: boolean }): Promise<void> {
    await this.live!.answered(this.api.change(change), (interview) => this.live!.replace(interview));
  }

  async end(): Promise<void> {
    await this.live!.answered(this.api.end(), (interview) => this.live!.replace(interview));
  }

  async begin(): Promise<void> {
    await this.live!.answered(this.api.start(), (interview) => this.live!.replace(interview));
  }

  async decide(participantId: string, verdict: 'admit' | 'decline' | 'remove'): Promise<void> {
    await this.live!.answered(this.api.decide(participantId, verdict), (participant) => this.live!.put(participant));
  }

  /** Keep a person's caret in sight, until any input of one's own. */
  follow(userId: string | null): void {
    this.following = this.following === userId ? null : userId;
    if (this.following) this.editor?.reveal(this.following);
  }

  /** The caret of a participant, if they are in the document. */
  peerOf(participant: Participant): Peer | undefined {
    const peers = this.peers?.all ?? [];
    return (
      peers.find(({ user }) => user.id === participant.id) ??
      peers.find(({ user }) => user.role === participant.role && user.name === participant.name)
    );
  }

  async run(): Promise<void> {
    if (this.runRefusal || this.round.running) return;
    this.layout.showOutput();
    await this.runs.start(this.language, this.layout.terminal);
  }

  async runTests(): Promise<void> {
    if (this.runRefusal || this.runs.active || this.tests.tests.length === 0) return;
    this.layout.showTests();
    await this.round.run(this.tests.tests, { stopAtFirst: this.tests.stopAtFirst });
    const summary = this.round.summary(this.tests.tests.length);
    if (summary) this.announcer.say(`${summary}.`);
  }

  /** End what is under way, all of it. */
  async halt(): Promise<void> {
    await (this.round.running ? this.round.stop() : this.runs.stop());
  }

  jump(line: number, column: number): void {
    this.layout.phoneTab = 'code';
    this.editor?.jump(line, column);
  }
}

/** Runs an action and tells about a failure that no form can show. */
export async function attempt(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const problem = asProblem(error);
    toasts.show([problem.detail ?? problem.title, problem.action].filter(Boolean).join(' '), { tone: 'bad' });
  }
}

export const [getRoom, setRoom] = createContext<Room>();
