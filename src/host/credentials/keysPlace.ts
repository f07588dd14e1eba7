import type { Secret } from '../../base/secret.ts';
import type { TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { Mount } from '../engine/engine.ts';
import type { Scope } from './seals.ts';

/** Where instances find their keys. */
export interface KeysPlace {
  mount(bot: string): Mount;
  /** What opens them; the same for ever. */
  seal(bot: string, scope: Scope): Secret;
  /** Those that were written last. */
  read(bot: string, scope: Scope): TimedKeys | undefined;
  /** For instances to come, and for those that run. */
  write(bot: string, scope: Scope, keys: TimedKeys, signal: AbortSignal): Promise<void>;
  remove(bot: string): void;
  /** Where they are given by value: until when those hold that instances have; undefined for a bot that has none. */
  inUse?(signal: AbortSignal): Promise<(bot: string, scope: Scope) => number | undefined>;
}
