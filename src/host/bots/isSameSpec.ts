import type { BotSpec } from './botSpec.ts';

/** Do they say the same? One of them may have been recorded as JSON, which leaves out what is undefined. */
export function isSameSpec(one: BotSpec, other: BotSpec): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
