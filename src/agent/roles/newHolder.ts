import { hostname } from 'node:os';
import { randomUuid } from '../../base/randomUuid.ts';

/** Names one start of a bot in its head: unique, so that our writes are told from everybody else's. */
export function newHolder(): string {
  return `${hostname()}/${randomUuid()}`;
}
