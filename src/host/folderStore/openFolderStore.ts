import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
import { Secret } from '../../base/secret.ts';
import { bucketName } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { openFileStore } from '../../store/parts/fileStore.ts';
import type { StoreConfig } from '../../store/storeConfig.ts';
import { readBody } from './appendCalls.ts';
import { checkSignature } from './checkSignature.ts';
import { createQuotas } from './quotas.ts';
import { route } from './route.ts';
import { asRefusal, denied, S3Refusal } from './s3Refusal.ts';
import { issueKeys, type StoreKeys } from './sessionKeys.ts';
import { createUploads } from './uploads.ts';
import { answerXml, errorXml, keysXml } from './xml.ts';

/**
 * The room of a folder as a store that containers reach: S3 over the file store, for a host that has nothing else. Each bot has keys of
 * its own to its own objects, as with a real one (`credentials/`), so nothing of the folder is mounted anywhere.
 *
 *   1. `checkSignature`, `sessionKeys`   whose keys it is signed with: the store's own, or such as it has made of them (STS)
 *   2. `allows`, `quotas`                what their policy says, and how much they may keep
 *   3. `route`, `objectCalls`, `listCalls`, `appendCalls`   the calls that our own clients make; any other is 501
 *
 * While it is away bots run on, and what they have written is saved when it is back.
 */

export interface FolderStoreOptions {
  readonly path: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Which of this machine's addresses clients may have come to; any but loopback is asked for. */
  readonly servesAt: (address: string) => boolean;
  /** Bytes that a bot's own keys may keep in each bucket; undefined: any number. */
  readonly quotaOf?: (bot: string) => number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface FolderStore {
  /** For the host itself. */
  readonly config: Extract<StoreConfig, { type: 's3' }>;
  close(): Promise<void>;
}

const MAX_STS_BYTES = 16 * 1024;
const MOST_DRAINED_BYTES = 32 * 2 ** 20;
const LONGEST_KEYS_MS = 7 * 24 * 3_600_000;
/** Of one address, which is one container: more than an agent ever has, and no more than a machine can bear of a thousand. */
const MAX_CONNECTIONS = 32;

/** Throws `unavailable` when the port is taken, and `config` where the folder cannot be made. */
export async function openFolderStore(options: FolderStoreOptions): Promise<FolderStore> {
  const { path, clock, log } = options;
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw new RuntimeError('config', `the store cannot be made: ${(error as Error).message}`, {
      path,
      hint: 'A server beside a Docker Engine runs as root; --data, or STORE_URL, names another folder.',
      cause: error,
    });
  }
  const root: StoreKeys = {
    accessKey: 'runtime',
    secretKey: new Secret(
      makeOnce(join(path, '.secret-key'), () => randomBytes(32).toString('hex')).toString(),
    ),
  };
  const buckets = new Map<string, ObjectStore>();
  const uploads = createUploads(() => clock.now());
  const { quotaOf = () => undefined } = options;
  const quotas = createQuotas({ quotaOf, now: () => clock.now(), log });

  function storeOf(bucket: string): ObjectStore {
    const store = buckets.get(bucket) ?? openFileStore(path, bucket, { clock });
    buckets.set(bucket, store);
    return store;
  }

  async function assumeRole(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request, MAX_STS_BYTES)).toString();
    const { method = '', url: target = '', headers } = request;
    const holder = checkSignature({ method, target, headers, body }, root, clock.now());
    const asked = new URLSearchParams(body);
    if (asked.get('Action') !== 'AssumeRole') throw new S3Refusal(400, 'InvalidAction');
    if (holder.policy !== undefined) throw denied('keys that are narrowed make no others');
    const durationMs = Number(asked.get('DurationSeconds')) * 1000;
    if (!(durationMs > 0 && durationMs <= LONGEST_KEYS_MS)) throw new S3Refusal(400, 'InvalidParameterValue');
    const keys = issueKeys(root, asked.get('Policy') ?? '{}', clock.now() + durationMs);
    answerXml(response, keysXml(keys));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = request;
    const [rawPath = '', rawQuery = ''] = target.split('?', 2);
    if (method === 'POST' && rawPath === '/') return await assumeRole(request, response);
    const [, bucket = '', key = ''] = /^\/([^/]+)(?:\/(.*))?$/s.exec(decoded(rawPath)) ?? [];
    const holder = checkSignature({ method, target, headers }, root, clock.now());
    if (bucketName.parse(bucket) === undefined) throw new S3Refusal(400, 'InvalidBucketName');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const query = new URLSearchParams(rawQuery);
    const store = storeOf(bucket);
    const call = {
      bucket,
      key,
      query,
      store,
      // The host's own keys write what it has decided.
      admit: async (bytes: number) => {
        if (holder.policy !== undefined) await quotas.admit(bucket, key, store, bytes);
      },
      uploads,
      holder: holder.accessKey,
      request,
      response,
      signal: gone.signal,
    };
    await route(call, holder, path);
  }

  const server = createServer({ headersTimeout: 10_000, requestTimeout: 600_000, keepAliveTimeout: 30_000 });
  server.on('request', (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const refusal = asRefusal(error);
      if (refusal.status >= 500 && refusal.status !== 507)
        log.error('the store failed', { path: request.url?.split('?')[0], error: String(error) });
      const text = request.method === 'HEAD' ? '' : errorXml(refusal);
      // What is left of a small body is read: its sender looks for the answer only then.
      const isLarge = !(Number(request.headers['content-length'] ?? 0) <= MOST_DRAINED_BYTES);
      const headers = { 'content-type': 'application/xml', ...(isLarge && { connection: 'close' }) };
      response.writeHead(refusal.status, headers).end(text);
      if (!isLarge) request.resume();
    });
  });
  limitConnections(server, options.servesAt);
  const port = await listen(server, options.port);

  return {
    config: {
      type: 's3',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      accessKey: new Secret(root.accessKey),
      secretKey: root.secretKey,
      sessionToken: undefined,
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      for (const store of buckets.values()) store.close();
    },
  };
}

/** Nobody from outside, and of one container no more than it needs: the others save there too. */
function limitConnections(
  server: ReturnType<typeof createServer>,
  servesAt: (address: string) => boolean,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const here = (socket.localAddress ?? '').replace(/^::ffff:/, '');
    const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const isLocal = peer.startsWith('127.');
    const count = (open.get(peer) ?? 0) + 1;
    if (!isLocal && (!servesAt(here) || count > MAX_CONNECTIONS)) return void socket.destroy();
    open.set(peer, count);
    socket.once('close', () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left > 0) open.set(peer, left);
      else open.delete(peer);
    });
  });
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new RuntimeError('unavailable', `the store cannot listen on port ${port} (${systemCode(error)})`, {
          op: 'store.listen',
          hint: '--store-port (RUNTIME_SERVE_STORE_PORT) names another.',
          cause: error,
        }),
      ),
    );
    server.listen(port, '0.0.0.0', resolve);
  });
  return (server.address() as AddressInfo).port;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Refusal(400, 'InvalidURI');
  }
}
