import { expect, it } from 'vitest';
import type { Release, ReleaseFile } from '#lib/api/index.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import type { UploadOptions } from '#lib/api/upload.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { OneRelease, Releases } from './releases.svelte.ts';
import { AT_ONCE, Uploads } from './uploads.svelte.ts';
import { sizeWords } from './words.ts';

const PATH = '/api/v1/projects/ada.engine/releases';
const file = (name: string): ReleaseFile => ({ name, size_bytes: 3, sha256: 'ab', url: '', created_at: '2026-11-27T10:00:00Z' });
const release = (change: Partial<Release> = {}): Release => ({
  id: 'rel_1',
  version: '1.0.0',
  notes: '',
  notes_html: '',
  prerelease: false,
  yanked: false,
  downloaded: false,
  files: [],
  created_at: '2026-11-27T10:00:00Z',
  updated_at: '2026-11-27T10:00:00Z',
  ...change,
});
const card = { ...release(), files: 0, size_bytes: 0 };

it('makes one release when the answer was lost, and asks anew after a refusal', async () => {
  const server = new FakeServer()
    .on(`POST ${PATH}`, new TypeError('cut'), problem(409, { title: 'The version is taken' }), json(release(), 201))
    .on(`GET ${PATH}`, json({ items: [card], next_cursor: null }));
  const all = new Releases('ada.engine');
  await expect(all.publish('1.0.0', '')).rejects.toThrow();
  await expect(all.publish('1.0.0', '')).rejects.toThrow('taken');
  await all.publish('1.0.0', '');
  const [lost, refused, made] = server.calls.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']);
  expect(refused).toBe(lost);
  expect(made).not.toBe(refused);
  expect([all.made, all.paged.items.length]).toEqual(['rel_1', 1]);
});

it('lets the list say what a release has become', async () => {
  new FakeServer()
    .on(`GET ${PATH}`, json({ items: [card], next_cursor: null }))
    .on(`GET ${PATH}/1.0.0`, json(release({ files: [file('a.zip')] })))
    .on(`PATCH ${PATH}/1.0.0`, json(release({ yanked: true, files: [file('a.zip')] })))
    .on(`DELETE ${PATH}/1.0.0/files/a.zip`, new Response(null, { status: 204 }));
  const all = new Releases('ada.engine');
  await all.paged.reload();
  const one = new OneRelease('ada.engine', '1.0.0', (changed) => all.show(changed));
  await one.load();
  await one.change({ yanked: true });
  one.add(file('b.zip'));
  expect(all.paged.items[0]).toMatchObject({ yanked: true, files: 2, size_bytes: 6 });
  await one.removeFile('a.zip');
  expect(one.release?.files.map(({ name }) => name)).toEqual(['b.zip']);
});

/** A server that answers when it is told to. */
class Desk {
  readonly calls: { name: string; options: UploadOptions; accept: () => void; refuse: (why: string) => void }[] = [];
  readonly send = (sent: File, options: UploadOptions) =>
    new Promise<ReleaseFile>((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason));
      this.calls.push({
        name: sent.name,
        options,
        accept: () => resolve(file(sent.name)),
        refuse: (title) => reject(new ApiProblem({ status: 409, title })),
      });
    });
}
const files = (...names: string[]) => names.map((name) => new File(['abc'], name));
const settled = () => new Promise((resolve) => setTimeout(resolve));

it('sends a few files at once, tells how far they are, and keeps what was refused', async () => {
  const desk = new Desk();
  const arrived: string[] = [];
  const uploads = new Uploads(desk.send, ({ name }) => arrived.push(name));
  uploads.add(files('a', 'b', 'c'));
  expect(desk.calls.length).toBe(AT_ONCE);
  desk.calls[0]!.options.onprogress(1);
  expect(uploads.list.map(({ state }) => state)).toEqual(['sending', 'sending', 'waiting']);
  expect(uploads.list[0]!.share).toBeCloseTo(1 / 3);
  desk.calls[0]!.options.onprogress(3);
  expect(uploads.list[0]!.state).toBe('checking');
  desk.calls[0]!.accept();
  desk.calls[1]!.refuse('The name was used before');
  await settled();
  expect(arrived).toEqual(['a']);
  expect(uploads.list.map(({ file: { name }, state }) => [name, state])).toEqual([['b', 'refused'], ['c', 'sending']]);
  uploads.retry(uploads.list[0]!);
  expect(uploads.list[0]!.problem).toBeNull();
  desk.calls[2]!.accept();
  desk.calls[3]!.accept();
  await settled();
  expect([arrived, uploads.list, uploads.isBusy]).toEqual([['a', 'c', 'b'], [], false]);
});

it('stops a file that somebody cancels, and lets the next one go', async () => {
  const desk = new Desk();
  const uploads = new Uploads(desk.send, () => undefined);
  uploads.add(files('a', 'b', 'c'));
  uploads.cancel(uploads.list[0]!);
  await settled();
  expect(desk.calls[0]!.options.signal.aborted).toBe(true);
  expect(desk.calls.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(uploads.list.map(({ file: { name } }) => name)).toEqual(['b', 'c']);
});

it.each([
  [1, '1 byte'],
  [999, '999 bytes'],
  [1400, '1.4 kB'],
  [999_600, '1.0 MB'],
  [52_428_800, '52 MB'],
])('says %i bytes as %s', (bytes, words) => expect(sizeWords(bytes)).toBe(words));
