import Monitor from '@lucide/svelte/icons/monitor';
import Moon from '@lucide/svelte/icons/moon';
import Sun from '@lucide/svelte/icons/sun';

export type ThemeWish = 'system' | 'light' | 'dark';

export const THEMES = [
  { value: 'system', label: 'As the system', Icon: Monitor },
  { value: 'light', label: 'Light', Icon: Sun },
  { value: 'dark', label: 'Dark', Icon: Moon },
] as const;

const KEY = 'ocp.theme';

/** Which theme the person wishes for; `app.html` applies it before the first paint, this keeps it true afterwards. */
class Theme {
  #wish = $state<ThemeWish>('system');

  constructor() {
    this.#wish = remembered();
    globalThis
      .matchMedia?.('(prefers-color-scheme: dark)')
      .addEventListener('change', () => this.#wish === 'system' && this.#apply());
    // The system may have changed its mind since `app.html` looked, and nobody was listening yet.
    if (globalThis.document && this.#wish === 'system') this.#apply();
    globalThis.addEventListener?.('storage', (event) => {
      if (event.key !== KEY) return;
      this.#wish = remembered();
      this.#apply();
    });
  }

  get wish(): ThemeWish {
    return this.#wish;
  }

  set wish(wish: ThemeWish) {
    this.#wish = wish;
    try {
      if (wish === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, wish);
    } catch {
      // Storage may be forbidden: the choice then holds until the page is closed.
    }
    this.#apply();
  }

  #apply(): void {
    const dark = this.#wish === 'dark' || (this.#wish === 'system' && systemIsDark());
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  }
}

function systemIsDark(): boolean {
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

function remembered(): ThemeWish {
  try {
    const wish = localStorage.getItem(KEY);
    return wish === 'light' || wish === 'dark' ? wish : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new Theme();
