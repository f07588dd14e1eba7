import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { Secret } from '../../src/config/secret.ts';
import { observe } from '../../src/state/claim.ts';
import { restore } from '../../src/state/restore.ts';
import { openStores } from '../../src/store/openStores.ts';
import type { MinioAddress } from './minio.ts';

/** A file of a bot's saved state, read without taking the bot over; what went wrong, where it cannot be. */
export async function readSaved(minio: MinioAddress, botId: string, file: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'saved-'));
  const stores = openStores(
    {
      store: {
        type: 's3',
        endpoint: minio.endpoint,
        region: 'us-east-1',
        accessKey: new Secret(minio.accessKey),
        secretKey: new Secret(minio.secretKey),
        sessionToken: undefined,
      },
      buckets: { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' },
      startTimeoutMs: 1000,
    },
    { clock: systemClock, random: Math.random },
  );
  try {
    const { signal } = new AbortController();
    const context = { store: await stores.open('state'), bot: botId, clock: systemClock, warn: () => {} };
    const claim = await observe(context, { signal });
    await restore(context, claim, {
      dir,
      owner: undefined,
      maxBytes: 2 ** 40,
      maxFileBytes: undefined,
      signal,
    });
    return await readFile(join(dir, file), 'utf8');
  } catch (error) {
    return (error as Error).message;
  } finally {
    await stores.close();
    await rm(dir, { recursive: true, force: true });
  }
}
