import { randomUUID } from 'node:crypto';
import { clockFinding } from '../../base/clockFinding.ts';
import { isRuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { Check } from './check.ts';

/** Reachable, credentials good, buckets there or made, conditions honoured, clocks agree. */
export const store: Check = {
  name: 'store',
  async run({ config, stores, now }) {
    const state = await stores.open('state', 0);
    const before = now();
    const theirs = await state.now();
    const after = now();
    return [
      ok('store', `${state.name} answers in ${after - before} ms`),
      clockFinding(theirs - (before + after) / 2),
      ...(await bucket('state', state, `${config.botId}/doctor-${randomUUID()}`)),
      ...(await bucket('logs', await stores.open('logs', 0), `logs/${config.botId}/doctor-${randomUUID()}`)),
    ];
  },
};

async function bucket(role: string, bucket: ObjectStore, probe: string): Promise<Finding[]> {
  try {
    const { etag } = await bucket.put(probe, Buffer.from('probe'), { ifNoneMatch: '*' });
    const written = ok(`bucket ${role}`, `${bucket.name} can be written to`);
    return role === 'state' ? [written, await conditions(bucket, probe, etag)] : [written];
  } catch (error) {
    return [fail(`bucket ${role}`, error)];
  } finally {
    // What cannot be removed is some bytes that nothing names.
    await bucket.delete(probe).catch(() => undefined);
  }
}

async function conditions(bucket: ObjectStore, probe: string, etag: string): Promise<Finding> {
  const refuses = async (condition: { ifNoneMatch: '*' } | { ifMatch: string }) => {
    try {
      await bucket.put(probe, Buffer.from('probe again'), condition);
      return false;
    } catch (error) {
      if (isRuntimeError(error, 'conflict')) return true;
      throw error;
    }
  };
  const { etag: second } = await bucket.put(probe, Buffer.from('second'), { ifMatch: etag });
  const honoured =
    (await refuses({ ifNoneMatch: '*' })) && (second === etag || (await refuses({ ifMatch: etag })));
  if (honoured) return ok('conditional writes', `${bucket.name} honours If-Match and If-None-Match`);
  return warn(
    'conditional writes',
    `${bucket.name} ignores conditions: two instances of a bot are kept apart less strictly`,
    'Use a store that honours If-Match and If-None-Match on PUT.',
  );
}
