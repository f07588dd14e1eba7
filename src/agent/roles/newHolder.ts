import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** Names one start of a bot in its head: unique, so that our writes are told from everybody else's. */
export function newHolder(): string {
  return `${hostname()}/${randomUUID()}`;
}
