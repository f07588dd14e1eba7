import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { Buckets, StoreConfig } from '../../store/storeConfig.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Role } from '../engine/engine.ts';
import { assumeRole } from './assumeRole.ts';
import { botPolicy } from './botPolicy.ts';
import type { Credentials } from './credentials.ts';
import { inputKeys } from './inputKeys.ts';
import { KEYS_NAME, type KeysFile, keysFile } from './keysFile.ts';
import { makeBuckets } from './makeBuckets.ts';
import { openSeals, type Scope } from './seals.ts';

/**
 * The room of the bots' keys: each bot reaches its own objects in the store and no other's.
 *
 *   1. `botPolicy`   what the bot may do, as a policy; the inputs of its task are read too (`inputKeys`)
 *   2. `assumeRole`  keys with that policy, for a time, from the store's STS; a store without STS narrows none
 *   3. `seals`       an instance gets a secret of its own, by its environment
 *   4. `keysFile`    the keys, sealed, in a file that is mounted into the instance, and written again before they expire
 */

export interface CredentialsOptions {
  readonly store: StoreConfig;
  /** What instances reach the store by: `http://minio:9000`. */
  readonly endpoint: string;
  readonly buckets: Buckets;
  /** A folder of our own; it outlives the host. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long keys hold, milliseconds; default 12 h. They are renewed when a third of it is left. */
  readonly durationMs?: number;
}

const DURATION_MS = 12 * 3_600_000;
const LOOK_EVERY_MS = 30_000;
/** Where the folder of keys is inside. */
const INSIDE = '/run/runtime';

interface Granted {
  readonly spec: BotSpec;
  readonly scope: Scope;
  readonly policy: string;
  readonly expiresAt: number;
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
  const seals = openSeals(options.folder);
  const marker = join(options.folder, 'narrows');
  let bucketsMade = false;
  let narrows = existsSync(marker);
  const granted = new Map<string, Granted>();
  const closing = new AbortController();
  let description = 'keys of bots: none given out yet';

  const fileOf = (bot: string): KeysFile =>
    keysFile(join(options.folder, 'bots', bot), (scope) => seals.of(bot, scope));

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
    fileOf(spec.name).write(scope, keys);
    granted.set(keyOf(spec.name, scope), { spec, scope, policy, expiresAt: keys.expiresAt });
  };

  const isDue = ({ expiresAt }: Granted) => expiresAt - clock.now() < durationMs / 3;
  const renew = async () => {
    let failed = 0;
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
        await renew();
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
            mounts: [
              {
                target: INSIDE,
                readOnly: true,
                // The folder: a file that is mounted by itself stays the old one when it is replaced.
                from: { type: 'folder', path: fileOf(spec.name).folder },
              },
            ],
          },

    async grant(spec, role, _user, signal) {
      if (role === 'sandbox') return {};
      const scope = scopeOf(role);
      const known = granted.get(keyOf(spec.name, scope));
      const policy = policyOf(spec, scope, buckets);
      const good =
        known?.policy === policy &&
        !isDue(known) &&
        fileOf(spec.name).read(scope)?.expiresAt === known.expiresAt;
      if (!good) await give(spec, scope, signal);
      return { MINIO_KEYS_SEAL: seals.of(spec.name, scope) };
    },

    adopt(spec, role) {
      if (role === 'sandbox') return;
      const scope = scopeOf(role);
      if (granted.has(keyOf(spec.name, scope))) return;
      const keys = fileOf(spec.name).read(scope);
      // No instance runs that was given none.
      if (!keys) return;
      const policy = policyOf(spec, scope, buckets);
      granted.set(keyOf(spec.name, scope), { spec, scope, policy, expiresAt: keys.expiresAt });
    },

    async revoke(bot) {
      granted.delete(keyOf(bot, 'bot'));
      granted.delete(keyOf(bot, 'query'));
      fileOf(bot).remove();
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

function policyOf(spec: BotSpec, scope: Scope, buckets: Buckets): string {
  return botPolicy({ bot: spec.name, code: [spec.code.file, ...inputKeys(spec.task)] }, buckets, scope);
}
