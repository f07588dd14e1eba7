import { systemClock } from '../../base/clock.ts';
import { clockFinding } from '../../base/clockFinding.ts';
import { isRuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { openStores } from '../../store/openStores.ts';
import { assumeRole } from '../credentials/assumeRole.ts';
import { botPolicy } from '../credentials/botPolicy.ts';
import type { HostCheck, HostPatient } from './patient.ts';

/** The shortest that stores give. Milliseconds. */
const DURATION_MS = 900_000;

/** Reachable, clocks agree, and whether it narrows keys for each bot. */
export const store: HostCheck = {
  name: 'store',
  async run(patient) {
    const { config, now, signal } = patient;
    const stores = openStores(config, { clock: systemClock, random: Math.random });
    try {
      const state = await stores.open('state', 0);
      const before = now();
      const theirs = await state.now({ signal });
      const after = now();
      return [
        ok('store', `${state.name} answers in ${after - before} ms`),
        clockFinding(theirs - (before + after) / 2),
        await narrowing(patient),
      ];
    } finally {
      await stores.close();
    }
  },
};

async function narrowing({ config, signal }: HostPatient): Promise<Finding> {
  if (config.store.type !== 's3')
    return warn(
      'keys of bots',
      `not a store with keys: ${config.store.type}`,
      'A host needs MINIO_ENDPOINT and its keys.',
    );
  const policy = botPolicy({ bot: 'doctor', code: [] }, config.buckets, 'query');
  try {
    await assumeRole({ store: config.store, policy, durationMs: DURATION_MS, clock: systemClock, signal });
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
