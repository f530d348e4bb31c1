import type { Participant } from '#lib/api/types.ts';

/** Which window lies over the room. */
export class Dialogs {
  palette = $state(false);
  keys = $state(false);
  end = $state(false);
  share = $state(false);
  leave = $state(false);
  removing = $state.raw<Participant | null>(null);
}
