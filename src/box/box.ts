import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { BoxConfig } from './boxConfig.ts';
import type { Starter } from './commands/starter.ts';

/** What all parts of a box have in common. */
export interface Box {
  readonly config: BoxConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly starter: Starter;
  readonly limits: BoxLimits;
}

export interface BoxLimits {
  /** Of a JSON body: commands and files come in one. Bytes. */
  readonly bodyBytes: number;
}

const [LEAST_BYTES, MOST_BYTES] = [4 * 1024 * 1024, 64 * 1024 * 1024];

/** By what the container has: a body is in memory several times over while it is read. */
export function boxLimits(memoryBytes: number): BoxLimits {
  const share = memoryBytes > 0 ? Math.floor(memoryBytes / 16) : MOST_BYTES;
  return { bodyBytes: Math.min(MOST_BYTES, Math.max(LEAST_BYTES, share)) };
}
