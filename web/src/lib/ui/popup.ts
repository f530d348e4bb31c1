/** What floats looks the same everywhere: menus, selects and their rows. */
export const popupLook =
  'z-50 overflow-y-auto rounded-card border border-line bg-surface-1 p-1 text-sm text-ink-1 shadow-float outline-none animate-appear';

export const itemLook =
  'flex min-h-control w-full items-center gap-2 rounded-inner px-2 select-none outline-none cursor-pointer ' +
  'data-highlighted:bg-surface-2 data-disabled:cursor-default data-disabled:text-ink-3';

/** Where they are put: inside the main landmark, so that those who move by landmarks find them, and nothing clips them. */
export const popupHome = (): HTMLElement => document.getElementById('main') ?? document.body;
