// @vitest-environment happy-dom
import { flushSync, mount, tick, unmount, createRawSnippet } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiProblem } from '#lib/api/problem.ts';
import Form from './Form.svelte';
import { Submission } from './submission.svelte.ts';

let form: ReturnType<typeof mount> | undefined;
afterEach(() => {
  if (form) void unmount(form);
  form = undefined;
});

function show(submission: Submission, action: () => Promise<unknown>) {
  const children = createRawSnippet(() => ({
    render: () => `<div><input name="email" aria-invalid="true" /><button>Send</button></div>`,
  }));
  form = mount(Form, { target: document.body, props: { submission, action, children } });
  flushSync();
}

async function send() {
  document.querySelector('form')!.dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
  await tick();
  await new Promise((resolve) => setTimeout(resolve));
}

describe('a form', () => {
  it('says what went wrong and puts the keyboard on what to put right', async () => {
    show(new Submission('email'), async () => {
      throw new ApiProblem({ status: 409, title: 'Too late.', action: 'Start again.' });
    });
    await send();
    expect(document.querySelector('[role=alert]')?.textContent).toContain('Start again.');
    expect(document.activeElement).toBe(document.querySelector('[name=email]'));
  });

  it('leaves complaints about a field to the field', async () => {
    const submission = new Submission('email');
    const errors = [{ pointer: '/email', detail: 'Taken.' }];
    show(submission, async () => {
      throw new ApiProblem({ status: 422, title: 'Look again.', errors });
    });
    await send();
    expect(document.querySelector('[role=alert]')).toBeNull();
    expect(submission.error('email')).toBe('Taken.');
  });

  it('sends once, however often the button is pressed', async () => {
    let sent = 0;
    const submission = new Submission();
    const action = () => new Promise((resolve) => setTimeout(resolve, 5, ++sent));
    await Promise.all([submission.run(action), submission.run(action)]);
    expect(sent).toBe(1);
    expect(submission.busy).toBe(false);
  });
});
