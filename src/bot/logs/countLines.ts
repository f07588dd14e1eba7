import type { Frame } from './frame.ts';

const NEWLINE = 10;

/** How many lines end in this frame. */
export function countLines(frame: Frame, payload: Uint8Array): number {
  if (frame.open) return 0;
  const endsByItself = payload.length === 0 || payload[payload.length - 1] !== NEWLINE;
  return countNewlines(payload) + (endsByItself ? 1 : 0);
}

/** A function of its own, and its length read once: this loop is most of what capture costs, and V8 is particular. */
function countNewlines(bytes: Uint8Array): number {
  const { length } = bytes;
  let newlines = 0;
  for (let i = 0; i < length; i += 1) if (bytes[i] === NEWLINE) newlines += 1;
  return newlines;
}
