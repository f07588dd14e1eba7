import { randomUUID } from 'node:crypto';
import { isRuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

/** Signatures are good for 15 minutes; below this it is no reason to worry. Milliseconds. */
const SKEW_MS = 60_000;
const REFUSED_SKEW_MS = 15 * 60_000;

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
      skew(theirs - (before + after) / 2),
      ...(await bucket('state', state, `${config.botId}/doctor-${randomUUID()}`)),
      ...(await bucket('logs', await stores.open('logs', 0), `logs/${config.botId}/doctor-${randomUUID()}`)),
    ];
  },
};

function skew(ms: number): Finding {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const text = `our clock is ${seconds} s ${ms > 0 ? 'behind' : 'ahead of'} the store's`;
  if (Math.abs(ms) < SKEW_MS) return ok('clock', text);
  return warn(
    'clock',
    text,
    `Set this machine's clock: from ${REFUSED_SKEW_MS / 60_000} min on, stores refuse what we sign.`,
  );
}

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
