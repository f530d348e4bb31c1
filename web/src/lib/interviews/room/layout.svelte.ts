const KEY = 'ocp.room.layout';

export type MainTab = 'output' | 'tests' | 'history';
export type SideTab = 'people' | 'chat' | 'assistant' | 'monitor';
export type PhoneTab = 'code' | 'output' | 'people';

interface Stored {
  /** Share of the width that the side takes, and of the side's height that its upper pane takes. */
  side: number;
  upper: number;
  sideOpen: boolean;
  lowerOpen: boolean;
  wrap: boolean;
  vim: boolean;
  /** Programs run in a terminal. */
  terminal: boolean;
}

const USUAL: Stored = { side: 0.4, upper: 0.58, sideOpen: true, lowerOpen: true, wrap: false, vim: false, terminal: false };

/** How one person has arranged the room; remembered in this browser. */
export class Layout {
  side = $state(USUAL.side);
  upper = $state(USUAL.upper);
  sideOpen = $state(USUAL.sideOpen);
  lowerOpen = $state(USUAL.lowerOpen);
  wrap = $state(USUAL.wrap);
  vim = $state(USUAL.vim);
  terminal = $state(USUAL.terminal);

  mainTab = $state<MainTab>('output');
  sideTab = $state<SideTab>('people');
  phoneTab = $state<PhoneTab>('code');

  readonly #storage: Storage | null;

  /** @param narrow a screen on which long lines are wrapped unless somebody chose otherwise. */
  constructor(storage: Storage | null, narrow = false) {
    this.#storage = storage;
    const stored = read(storage, { ...USUAL, wrap: narrow });
    this.side = clampShare(stored.side);
    this.upper = clampShare(stored.upper);
    this.sideOpen = stored.sideOpen;
    this.lowerOpen = stored.lowerOpen;
    this.wrap = stored.wrap;
    this.vim = stored.vim;
    this.terminal = stored.terminal;
  }

  /** Bring output before the person's eyes, on a phone too. */
  showOutput(): void {
    this.mainTab = 'output';
    this.sideOpen = true;
    this.phoneTab = 'output';
    this.save();
  }

  showTests(): void {
    this.mainTab = 'tests';
    this.sideOpen = true;
    this.phoneTab = 'output';
    this.save();
  }

  showSide(tab: SideTab): void {
    this.sideTab = tab;
    this.sideOpen = this.lowerOpen = true;
    this.phoneTab = 'people';
    this.save();
  }

  resize(edge: 'side' | 'upper', share: number): void {
    this[edge] = clampShare(share);
  }

  toggle(what: 'sideOpen' | 'lowerOpen' | 'wrap' | 'vim' | 'terminal'): void {
    this[what] = !this[what];
    this.save();
  }

  save(): void {
    const { side, upper, sideOpen, lowerOpen, wrap, vim, terminal } = this;
    try {
      this.#storage?.setItem(KEY, JSON.stringify({ side, upper, sideOpen, lowerOpen, wrap, vim, terminal }));
    } catch {
      // Full or forbidden: the arrangement then holds until the page is closed.
    }
  }
}

const clampShare = (share: number) => Math.min(0.75, Math.max(0.2, share));

function read(storage: Storage | null, usual: Stored): Stored {
  try {
    const stored = JSON.parse(storage?.getItem(KEY) ?? '{}') as Partial<Stored>;
    const kept = Object.entries(stored).filter(
      ([name, value]) => name in USUAL && typeof value === typeof USUAL[name as keyof Stored],
    );
    return { ...usual, ...Object.fromEntries(kept) };
  } catch {
    return usual;
  }
}
