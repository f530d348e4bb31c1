import { asProblem, type ApiProblem, type ReleaseFile } from '#lib/api/index.ts';
import type { UploadOptions } from '#lib/api/upload.ts';

export type UploadState = 'waiting' | 'sending' | 'checking' | 'refused';
export type Send = (file: File, options: UploadOptions) => Promise<ReleaseFile>;

/** The server takes four of one person, and people have several pages. */
export const AT_ONCE = 2;

/** One file on its way. */
export class Upload {
  readonly id: number;
  readonly file: File;
  state = $state<UploadState>('waiting');
  /** In bytes. */
  sent = $state(0);
  problem = $state.raw<ApiProblem | null>(null);
  readonly share = $derived.by(() => (this.file.size === 0 ? 1 : Math.min(1, this.sent / this.file.size)));
  stopper = new AbortController();

  constructor(id: number, file: File) {
    this.id = id;
    this.file = file;
  }
}

/** Files on their way to one release, a few at once. What has arrived leaves the list; what was refused stays. */
export class Uploads {
  list = $state.raw<readonly Upload[]>([]);
  readonly isBusy = $derived(this.list.some(({ state }) => state !== 'refused'));
  readonly #send: Send;
  readonly #arrived: (file: ReleaseFile) => void;
  #nextId = 1;

  constructor(send: Send, arrived: (file: ReleaseFile) => void) {
    this.#send = send;
    this.#arrived = arrived;
  }

  add(files: Iterable<File>): void {
    this.list = [...this.list, ...Array.from(files, (file) => new Upload(this.#nextId++, file))];
    this.#pump();
  }

  retry(upload: Upload): void {
    upload.state = 'waiting';
    upload.problem = null;
    upload.sent = 0;
    upload.stopper = new AbortController();
    this.#pump();
  }

  /** Stops it if it is under way, and forgets it. */
  cancel(upload: Upload): void {
    this.list = this.list.filter((other) => other !== upload);
    upload.stopper.abort();
    this.#pump();
  }

  cancelAll(): void {
    for (const upload of this.list) upload.stopper.abort();
    this.list = [];
  }

  #pump(): void {
    const underWay = this.list.filter(({ state }) => state === 'sending' || state === 'checking').length;
    const next = this.list.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, AT_ONCE - underWay));
    for (const upload of next) void this.#run(upload);
  }

  async #run(upload: Upload): Promise<void> {
    const { file, stopper } = upload;
    upload.state = 'sending';
    const onprogress = (sent: number) => {
      upload.sent = sent;
      if (sent >= file.size) upload.state = 'checking';
    };
    try {
      this.#arrived(await this.#send(file, { signal: stopper.signal, onprogress }));
      this.list = this.list.filter((other) => other !== upload);
    } catch (error) {
      // Cancelled, it is not in the list any more.
      upload.problem = asProblem(error);
      upload.state = 'refused';
    }
    this.#pump();
  }
}
