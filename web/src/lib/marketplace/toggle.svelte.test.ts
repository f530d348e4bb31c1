import { describe, expect, it } from 'vitest';
import { Toggle, type ToggleState } from './toggle.svelte.ts';

/** A server that answers when it is told to. */
function slowly() {
  const asked: { wanted: boolean; answer: (state: ToggleState) => void; refuse: (error: Error) => void }[] = [];
  const send = (wanted: boolean) =>
    new Promise<ToggleState>((answer, refuse) => void asked.push({ wanted, answer, refuse }));
  return { asked, toggle: new Toggle(send, { on: false, count: 7 }) };
}

describe('a toggle', () => {
  it('is shown at once, and is what the server counts afterwards', async () => {
    const { asked, toggle } = slowly();
    const done = toggle.press();
    expect(toggle.state).toEqual({ on: true, count: 8 });
    asked[0]!.answer({ on: true, count: 20 });
    await done;
    expect(toggle.state).toEqual({ on: true, count: 20 });
  });

  it('is as it was when the server refuses', async () => {
    const { asked, toggle } = slowly();
    const done = toggle.press();
    asked[0]!.refuse(new Error('No.'));
    await expect(done).rejects.toThrow('No.');
    expect(toggle.state).toEqual({ on: false, count: 7 });
  });

  it('ends as it was last wished, however fast it is pressed', async () => {
    const { asked, toggle } = slowly();
    const done = toggle.press();
    await toggle.press();
    await toggle.press();
    await toggle.press();
    asked[0]!.answer({ on: true, count: 8 });
    await expect.poll(() => asked.length).toBe(2);
    asked[1]!.answer({ on: false, count: 7 });
    await done;
    expect(asked.map(({ wanted }) => wanted)).toEqual([true, false]);
    expect(toggle.state).toEqual({ on: false, count: 7 });
  });
});
