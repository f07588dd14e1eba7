import { Secret } from '../../base/secret.ts';
import { sealKeys, type TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { Engine, Role } from '../engine/engine.ts';
import { KEYS_NAME } from './keysFile.ts';
import type { KeysPlace } from './keysPlace.ts';
import { type Scope, sealsOf } from './seals.ts';

/** By whom keys of a scope are used. */
const roles: Readonly<Record<Scope, readonly Role[]>> = { bot: ['bot', 'run'], query: ['query'] };

/** Keys that the engine brings into each instance by value; what is kept here serves the instances to come. */
export function engineKeys(
  engine: Pick<Engine, 'list' | 'replaceFiles'>,
  sealKey: Buffer,
  target: string,
): KeysPlace {
  const seals = sealsOf(sealKey);
  const kept = new Map<string, TimedKeys>();
  const keyOf = (bot: string, scope: Scope) => `${scope}:${bot}`;
  return {
    mount: () => ({ target, readOnly: true, from: { type: 'files' } }),
    seal: seals.of,
    read: (bot, scope) => kept.get(keyOf(bot, scope)),
    async write(bot, scope, keys, signal) {
      const files = { [KEYS_NAME]: new Secret(`${sealKeys(keys, seals.of(bot, scope))}\n`) };
      const until = keys.expiresAt;
      await engine.replaceFiles?.({ bot, roles: roles[scope], target, files, until }, signal);
      kept.set(keyOf(bot, scope), keys);
    },
    remove: (bot) => {
      kept.delete(keyOf(bot, 'bot'));
      kept.delete(keyOf(bot, 'query'));
    },
    async inUse(signal) {
      const first = new Map<string, number>();
      for (const { bot, role, state, filesUntil } of await engine.list(signal)) {
        if (state === 'ended' || filesUntil === undefined) continue;
        const key = keyOf(bot, roles.query.includes(role) ? 'query' : 'bot');
        first.set(key, Math.min(filesUntil, first.get(key) ?? filesUntil));
      }
      return (bot, scope) => first.get(keyOf(bot, scope));
    },
  };
}
