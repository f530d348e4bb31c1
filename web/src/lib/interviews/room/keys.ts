import { attempt, type Room } from './room.svelte.ts';

/** The keys that work wherever the focus is; the editor must not have them first. */
export function roomKeys(room: Room): (event: KeyboardEvent) => void {
  return (event) => {
    const action = actionFor(room, event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
}

function actionFor(room: Room, event: KeyboardEvent): (() => void) | null {
  if (event.key === 'F6') return () => nextPane(event.shiftKey ? -1 : 1);
  if (!(event.metaKey || event.ctrlKey) || event.altKey) return null;
  if (event.key === 'Enter' && event.shiftKey) return () => void attempt(() => room.halt());
  if (event.key === 'Enter') return () => void attempt(() => room.run());
  if (event.key.toLowerCase() === 'k' && !event.shiftKey) return () => (room.dialogs.palette = !room.dialogs.palette);
  return event.key === '\\' ? () => room.layout.toggle('sideOpen') : null;
}

/** From pane to pane, as F6 does in most programs. */
function nextPane(step: number): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter((pane) => pane.offsetParent !== null);
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(at + step + panes.length) % panes.length];
  const target = next?.querySelector<HTMLElement>('.cm-content, [data-state="active"][role="tab"], button, input, [tabindex="0"]');
  target?.focus();
}
