import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { BoxConfig } from './boxConfig.ts';
import type { Starter } from './commands/starter.ts';
import { BodyBudget } from './http/bodyBudget.ts';

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
  /** Of a command's outputs, what is kept of the beginning and of the end of each. Bytes. */
  readonly keptBytes: number;
  /** Bodies that are being read. */
  readonly bodies: BodyBudget;
}

const MIB = 1024 * 1024;
const between = (least: number, value: number, most: number) =>
  Math.min(most, Math.max(least, Math.floor(value)));

/** By what the container has, in bytes; 0: as much as the machine. A body is in memory several times over while it is read. */
export function boxLimits(memoryBytes: number): BoxLimits {
  const share = (part: number) => (memoryBytes > 0 ? memoryBytes / part : Number.POSITIVE_INFINITY);
  const bodyBytes = between(4 * MIB, share(16), 64 * MIB);
  return {
    bodyBytes,
    keptBytes: between(64 * 1024, share(512), 4 * MIB),
    bodies: new BodyBudget(between(bodyBytes, share(8), 256 * MIB)),
  };
}
