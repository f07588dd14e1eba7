import { systemClock } from '../../base/clock.ts';
import { clockFinding } from '../../base/clockFinding.ts';
import { isRuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import type { Config } from '../../bot/config/config.ts';
import { openStores } from '../../store/openStores.ts';
import { assumeRole } from '../credentials/assumeRole.ts';
import { botPolicy } from '../credentials/botPolicy.ts';
import { reachStore, type StoreAccess } from '../credentials/reachStore.ts';
import type { HostCheck } from './patient.ts';

/** The shortest that stores give. Milliseconds. */
const DURATION_MS = 900_000;

/** Reachable, clocks agree, and whether it narrows keys for each bot. */
export const store: HostCheck = {
  name: 'store',
  async run(patient) {
    const { now, signal, env } = patient;
    const config = await patient.config();
    const access = reachStore(config.store, env.MINIO_CONTAINER_ENDPOINT || undefined);
    const stores = openStores(config, { clock: systemClock, random: Math.random });
    try {
      const state = await stores.open('state', 0);
      const before = now();
      const theirs = await state.now({ signal });
      const after = now();
      return [
        ok('store', `${state.name} answers in ${after - before} ms`),
        clockFinding(theirs - (before + after) / 2),
        await narrowing({ store: access.store, buckets: config.buckets }, signal),
      ];
    } finally {
      await stores.close();
    }
  },
};

type Narrowed = Pick<StoreAccess, 'store'> & Pick<Config, 'buckets'>;

async function narrowing({ store, buckets }: Narrowed, signal: AbortSignal): Promise<Finding> {
  const policy = botPolicy({ bot: 'doctor', code: [] }, buckets, 'query');
  try {
    await assumeRole({ store, policy, durationMs: DURATION_MS, clock: systemClock, signal });
    return ok('keys of bots', 'the store narrows keys to one bot each (STS)');
  } catch (error) {
    if (!isRuntimeError(error, 'refused')) return fail('keys of bots', error);
    return warn(
      'keys of bots',
      'the store narrows none: every container holds the keys of the host, and only the agent keeps its bot from them',
      'Use a store with STS AssumeRole, as MinIO.',
    );
  }
}
