import type { TurnEvent } from '../links/agentLink.ts';

type Said = Exclude<TurnEvent, { type: 'usage' }>;

export interface WellFormed {
  /** The event as it may be told; undefined: half a character that waits for its other half. */
  take(event: Said): Said | undefined;
  /** What still waits when the turn has ended. */
  rest(): readonly Said[];
}

/**
 * What a turn says, in pieces that hold whole characters: agents cut their texts between the halves of one (an emoji is two in UTF-16), and
 * a client that prints or keeps such a half fails. A half that stays alone is U+FFFD.
 */
export function createWellFormed(): WellFormed {
  const halves = { delta: '', thought: '' };
  return {
    take: (event) => {
      if (event.type === 'tool') {
        const { id, name, status } = event;
        return {
          type: 'tool',
          id: id.toWellFormed(),
          name: name.toWellFormed(),
          status: status.toWellFormed(),
        };
      }
      const { type } = event;
      const text = halves[type] + event.text;
      halves[type] = endsInHalf(text) ? text.slice(-1) : '';
      const whole = text.slice(0, text.length - halves[type].length).toWellFormed();
      return whole === '' && event.text !== '' ? undefined : { type, text: whole };
    },
    rest: () =>
      (['delta', 'thought'] as const)
        .filter((type) => halves[type] !== '')
        .map((type) => ({ type, text: halves[type].toWellFormed() })),
  };
}

/** The first half of a character of two. */
function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
