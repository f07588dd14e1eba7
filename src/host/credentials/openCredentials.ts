import { hash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Secret } from '../../base/secret.ts';
import { sealKeys, type TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { Buckets, StoreConfig } from '../../store/storeConfig.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Role } from '../engine/engine.ts';
import { assumeRole } from './assumeRole.ts';
import { botPolicy } from './botPolicy.ts';
import type { Credentials } from './credentials.ts';
import { folderKeys } from './folderKeys.ts';
import { inputKeys } from './inputKeys.ts';
import { KEYS_NAME } from './keysFile.ts';
import type { KeysPlace } from './keysPlace.ts';
import { makeBuckets } from './makeBuckets.ts';
import type { Scope } from './seals.ts';

/**
 * The room of the bots' keys: each bot reaches its own objects in the store and no other's.
 *
 *   1. `botPolicy`   what the bot may do, as a policy; the inputs of its task are read too (`inputKeys`)
 *   2. `assumeRole`  keys with that policy, for a time, from the store's STS; a store without STS narrows none
 *   3. `seals`       an instance gets a secret of its own, by its environment
 *   4. `keysPlace`   the keys, sealed, in a file of the instance, and written again before they expire: in a folder of the host that is
 *                    mounted (`folderKeys`, `keysFile`), or by value where the engine has no folders (`engineKeys`)
 */

export interface CredentialsOptions {
  readonly store: StoreConfig;
  /** What instances reach the store by: `http://minio:9000`. */
  readonly endpoint: string;
  readonly buckets: Buckets;
  /** A folder of our own; it outlives the host, where `place` is not said. */
  readonly folder: string;
  /** Where the keys lie; default: in that folder, mounted. */
  readonly place?: KeysPlace;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long keys hold, milliseconds; default 12 h. They are renewed when a third of it is left. */
  readonly durationMs?: number;
}

const DURATION_MS = 12 * 3_600_000;
const LOOK_EVERY_MS = 30_000;
/** Where the folder of keys is inside. */
export const INSIDE = '/run/runtime';

interface Granted {
  readonly spec: BotSpec;
  readonly scope: Scope;
  /** Hash of the policy that they were given out with. */
  readonly policy: string;
  /** Undefined: nobody here has given them out. */
  readonly expiresAt: number | undefined;
}

/**
 * Keys for each bot that open its own objects and no other's, renewed while it runs. An instance finds them in a file that is mounted
 * into it, sealed; the seal alone is in its environment, which the kernel closes to the bot. So they are renewed without
 * a restart, a host that is away for hours does no harm, and nothing of it has to listen for bots.
 * A store without STS: the same file holds the host's own keys, and the description says so.
 */
export function openCredentials(options: CredentialsOptions): Credentials {
  const { store, buckets, clock, log, durationMs = DURATION_MS } = options;
  if (store.type !== 's3')
    throw new RuntimeError(
      'config',
      `a host needs a store with keys that bots reach over the network, not ${store.type}`,
      {
        op: 'host.credentials',
        hint: 'Set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY.',
      },
    );
  mkdirSync(options.folder, { recursive: true, mode: 0o711 });
  const place = options.place ?? folderKeys(options.folder, INSIDE);
  const marker = join(options.folder, 'narrows');
  let bucketsMade = false;
  let narrows = existsSync(marker);
  const granted = new Map<string, Granted>();
  const closing = new AbortController();
  let description = 'keys of bots: none given out yet';

  const issue = async (policy: string, signal: AbortSignal): Promise<TimedKeys> => {
    try {
      const keys = await assumeRole({ store, policy, durationMs, clock, signal });
      description = 'each bot has keys of its own, narrowed by the store (STS)';
      if (!narrows) writeFileSync(marker, '', { mode: 0o600 });
      narrows = true;
      return keys;
    } catch (error) {
      // A store that has narrowed keys once still can: something is wrong with it, and no reason to give all of them away.
      if (!isRuntimeError(error, 'refused') || narrows) throw error;
      const told = `bots have the host's own keys: the store narrows none (${error.message})`;
      if (told !== description) log.warn(told);
      description = told;
      const { accessKey, secretKey, sessionToken } = store;
      return { accessKey, secretKey, sessionToken, expiresAt: clock.now() + durationMs };
    }
  };

  const give = async (spec: BotSpec, scope: Scope, signal: AbortSignal): Promise<void> => {
    const policy = policyOf(spec, scope, buckets);
    if (!bucketsMade) await makeBuckets(store, buckets, clock, signal);
    bucketsMade = true;
    const keys = await issue(policy, signal);
    signal.throwIfAborted();
    await place.write(spec.name, scope, keys, signal);
    granted.set(keyOf(spec.name, scope), { spec, scope, policy: hashOf(policy), expiresAt: keys.expiresAt });
  };

  const isSoon = (expiresAt: number) => expiresAt - clock.now() < durationMs / 3;
  const renew = async () => {
    let failed = 0;
    const until = await place.inUse?.(closing.signal);
    const isDue = ({ spec, scope, expiresAt }: Granted) => {
      const known = until === undefined ? expiresAt : until(spec.name, scope);
      return known !== undefined && isSoon(known);
    };
    for (const { spec, scope } of [...granted.values()].filter(isDue)) {
      try {
        await give(spec, scope, closing.signal);
      } catch (error) {
        if (closing.signal.aborted) return;
        failed += 1;
        if (failed === 1)
          log.error(`keys of ${spec.name} were not renewed: ${asRuntimeError(error).message}`);
        // The others have the same store: not a thousand time limits one after the other.
        if (isRuntimeError(error, 'unavailable')) return;
      }
    }
  };
  const keepRenewing = async () => {
    try {
      for (;;) {
        await clock.sleep(LOOK_EVERY_MS, closing.signal);
        // An engine that does not answer is asked again.
        await renew().catch(() => closing.signal.throwIfAborted());
      }
    } catch {
      // Closed.
    }
  };
  const renewing = keepRenewing();

  return {
    get description() {
      return description;
    },

    shape: (spec, role) =>
      role === 'sandbox'
        ? { env: {}, mounts: [] }
        : {
            env: {
              MINIO_ENDPOINT: options.endpoint,
              MINIO_REGION: store.region,
              MINIO_KEYS_FILE: `${INSIDE}/${KEYS_NAME}`,
            },
            mounts: [place.mount(spec.name)],
          },

    async grant(spec, role, _user, signal) {
      if (role === 'sandbox') return {};
      const scope = scopeOf(role);
      const known = granted.get(keyOf(spec.name, scope));
      const policy = hashOf(policyOf(spec, scope, buckets));
      const good =
        known?.policy === policy &&
        known.expiresAt !== undefined &&
        !isSoon(known.expiresAt) &&
        place.read(spec.name, scope)?.expiresAt === known.expiresAt;
      if (!good) await give(spec, scope, signal);
      return { MINIO_KEYS_SEAL: place.seal(spec.name, scope) };
    },

    files(spec, role) {
      const scope = scopeOf(role);
      const keys = role === 'sandbox' ? undefined : place.read(spec.name, scope);
      if (keys === undefined) return undefined;
      const line = new Secret(`${sealKeys(keys, place.seal(spec.name, scope))}\n`);
      return { target: INSIDE, files: { [KEYS_NAME]: line }, until: keys.expiresAt };
    },

    adopt(spec, role) {
      if (role === 'sandbox') return;
      const scope = scopeOf(role);
      if (granted.has(keyOf(spec.name, scope))) return;
      const expiresAt = place.read(spec.name, scope)?.expiresAt;
      // No instance runs that was given none; where they are given by value, the instance says until when they hold.
      if (expiresAt === undefined && place.inUse === undefined) return;
      const policy = hashOf(policyOf(spec, scope, buckets));
      granted.set(keyOf(spec.name, scope), { spec, scope, policy, expiresAt });
    },

    async revoke(bot) {
      granted.delete(keyOf(bot, 'bot'));
      granted.delete(keyOf(bot, 'query'));
      place.remove(bot);
    },

    async close() {
      closing.abort();
      await renewing;
    },
  };
}

function scopeOf(role: Role): Scope {
  return role === 'query' ? 'query' : 'bot';
}

function keyOf(bot: string, scope: Scope): string {
  return `${scope}:${bot}`;
}

/** A policy has 1 KiB. */
function hashOf(policy: string): string {
  return hash('sha256', policy, 'base64');
}

function policyOf(spec: BotSpec, scope: Scope, buckets: Buckets): string {
  return botPolicy({ bot: spec.name, code: [spec.code.file, ...inputKeys(spec.task)] }, buckets, scope);
}
