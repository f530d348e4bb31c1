const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

const WORDS: Record<string, string> = {
  mod: isApple ? '⌘' : 'Ctrl',
  shift: isApple ? '⇧' : 'Shift',
  alt: isApple ? '⌥' : 'Alt',
  enter: '↵',
  escape: 'Esc',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  space: 'Space',
};

/** `mod+enter` as the caps that this person's keyboard has; a space stands between keys pressed one after another. */
export function caps(keys: string): string[] {
  return keys.split(/[+ ]/).map((key) => WORDS[key.toLowerCase()] ?? (key.length === 1 ? key.toUpperCase() : key));
}

/** The same, to be read aloud. */
export function spoken(keys: string): string {
  const names: Record<string, string> = { mod: isApple ? 'Command' : 'Control', enter: 'Enter', escape: 'Escape' };
  return keys
    .split(/[+ ]/)
    .map((key) => names[key.toLowerCase()] ?? key)
    .join(' ');
}

/** True for a key that a person types as text: single-key shortcuts must not answer it. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}
