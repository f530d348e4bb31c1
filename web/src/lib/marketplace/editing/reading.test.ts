import { expect, it } from 'vitest';
import type { ReadDraft } from '#lib/api/index.ts';
import { complaintsOf, takenFrom } from './reading.ts';

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
