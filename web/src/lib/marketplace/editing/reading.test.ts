import { expect, it } from 'vitest';
import type { ReadDraft } from '#lib/api/index.ts';
import { complaintsOf, isAt, newsOf, takenFrom } from './reading.ts';

const draft: ReadDraft = {
  title: 'Fast lines',
  summary: '',
  description: '# Fast',
  technologies: ['Rust'],
  license: null,
  tags: [],
  repository_url: 'https://code.example.org/a/b',
  documentation_url: null,
  demo_url: null,
  problems: [{ pointer: '/summary', detail: 'was not told; one line says what the project is for' }],
};

it('takes what was told, and leaves the rest of the form alone', () => {
  expect(takenFrom(draft)).toEqual({
    title: 'Fast lines',
    description: '# Fast',
    technologies: ['Rust'],
    repository_url: 'https://code.example.org/a/b',
  });
});

it('says what could not be told in sentences that begin with the field', () => {
  expect(complaintsOf(draft)).toEqual([
    { pointer: '/summary', text: 'Summary was not told; one line says what the project is for.' },
  ]);
});

it('knows the hosts that the server reads from, however they are written', () => {
  const hosts = ['code.example.org', 'www.modules.example.org', 'own.example.org:8443'];
  for (const url of ['https://Code.example.org/a/b', 'https://modules.example.org/a', 'http://own.example.org:8443/a'])
    expect(isAt(hosts, url)).toBe(true);
  for (const url of ['https://example.org/code.example.org', 'https://code.example.org.test/a', 'code', '', null])
    expect(isAt(hosts, url)).toBe(false);
  expect(isAt([], 'https://code.example.org/a/b')).toBe(false);
});

it('tells what reading again has changed, and what it could not', () => {
  expect(newsOf({ changed: ['description', 'license'], problems: [] })).toBe('Refreshed: Description, Licence.');
  const problems = [{ pointer: '/description', detail: 'was not told, or not in Markdown' }];
  expect(newsOf({ changed: [], problems })).toBe(
    'Nothing is new there. Description was not told, or not in Markdown.',
  );
});
