import type { Frame } from './frame.ts';

const NEWLINE = 10;

/** How many lines end in this frame. */
export function countLines(frame: Frame, payload: Uint8Array): number {
  if (frame.open) return 0;
  let lines = 0;
  for (let i = 0; i < payload.length; i += 1) if (payload[i] === NEWLINE) lines += 1;
  const endsByItself = payload.length === 0 || payload[payload.length - 1] !== NEWLINE;
  return endsByItself ? lines + 1 : lines;
}
