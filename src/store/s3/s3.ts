import type { IncomingHttpHeaders } from 'node:http';
import { type Clock, systemClock } from '../../base/clock.ts';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { blameChecksum } from '../blameChecksum.ts';
import { checkKey } from '../checkKey.ts';
import { cutBody } from '../cutBody.ts';
import { mappedBody } from '../mappedBody.ts';
import type { ObjectInfo, ObjectStore, PutOptions } from '../objectStore.ts';
import { sha256Of } from '../sha256.ts';
import { wholeChecksum } from '../wholeChecksum.ts';
import { createBucket } from './createBucket.ts';
import { encodePath } from './encodePath.ts';
import { networkError } from './networkError.ts';
import { requireAsStored, requireStart, requireStore, requireTag } from './requireStore.ts';
import { createS3Client, type S3ClientOptions, type S3Request } from './s3Client.ts';
import { parseListPage, quoted } from './s3Xml.ts';
import type { Sweeper } from './sweepUploads.ts';

export interface S3StoreOptions extends Omit<S3ClientOptions, 'clock' | 'connectMs' | 'idleMs'> {
  /** Whether a missing bucket is made on the first write. */
  readonly createBucket: boolean;
  readonly clock?: Clock;
  /** Milliseconds; default 5,000. */
  readonly connectMs?: number;
  /** Milliseconds; default 30,000. */
  readonly idleMs?: number;
}

/*
 * The room of S3 with static keys. A call passes these, outside in:
 *
 *   s3                    the verbs of `ObjectStore`; large bodies by `s3Multipart`, appends by `appendByCopy` and `sweepUploads`
 *   conditional           writes of which only one may win, where the store knows of them
 *   s3Client              one request: its path (`encodePath`), its signature (`createSigner`), its keys (`renewedKeys`)
 *   transport             the way there: `plain/` without TLS, which is quicker to load, else Node's own client (`httpExchange`)
 *   requireStore          whether it was a store that has answered, not a proxy or a portal
 *   s3Errors, s3Xml       what an answer means; `networkError`, what none means
 */

/** A bucket of an S3 store with static keys, by signed requests over HTTP: little to load, little to keep. */
export function openS3Store(options: S3StoreOptions): ObjectStore {
  const { bucket, region, createBucket: mayCreate, clock = systemClock } = options;
  const client = createS3Client({ connectMs: 5000, idleMs: 30_000, ...options, clock });

  let sweeper: Sweeper | undefined;

  const put = async (request: S3Request, condition: PutOptions): Promise<{ etag: string }> => {
    try {
      const { response } = await client.sendForText(request);
      requireStore(response.headers, request.op, client.subject(request.key));
      return { etag: quoted(response.headers.etag ?? '') };
    } catch (error) {
      // Some stores say "not found" of a condition on what is not there.
      if (condition.ifMatch !== undefined && isRuntimeError(error, 'not-found'))
        throw new RuntimeError('conflict', `${client.subject(request.key)} is gone`, {
          op: 'store.put',
          cause: error,
        });
      throw error;
    }
  };

  const head: ObjectStore['head'] = async (key, { checksum, signal } = {}) => {
    checkKey(key, 'store.head');
    const headers = checksum ? { 'x-amz-checksum-mode': 'ENABLED' } : {};
    const request: S3Request = { op: 'store.head', method: 'HEAD', key, headers, signal };
    const { response } = await client.sendForText(request);
    requireStore(response.headers, 'store.head', client.subject(key));
    return infoOf(key, response.headers);
  };

  const outOfRange = (key: string) =>
    new RuntimeError('damaged', `${client.subject(key)}: InvalidRange`, { op: 'store.get', path: key });

  return {
    name: `s3 bucket "${bucket}" at ${client.host}`,

    async get(key, { range, ifMatch, into, signal } = {}) {
      checkKey(key, 'store.get');
      const headers: Record<string, string> = {};
      // Bytes in HTTP count to the last one.
      if (range) headers.range = `bytes=${range.start}-${range.end - 1}`;
      if (ifMatch !== undefined) headers['if-match'] = ifMatch;
      const response = await client.send({ op: 'store.get', method: 'GET', key, headers, into, signal });
      const toStoreError = (error: unknown) => networkError(error, 'store.get', client.subject(key));
      const info = infoOf(key, response.headers);
      try {
        requireStore(response.headers, 'store.get', client.subject(key));
        requireTag(info.etag, ifMatch, client.subject(key));
        const size = await requireAsStored({
          path: client.subject(key),
          size: info.size,
          etag: info.etag,
          encoding: response.headers['content-encoding'],
          stored: () => head(key, { signal }),
        });
        // The whole object: a gateway that knows no ranges.
        const whole = range && response.statusCode === 200;
        if (whole && range.start >= size) throw outOfRange(key);
        if (range && !whole)
          requireStart(response.headers['content-range'], range.start, client.subject(key));
        const body = whole ? cutBody(response, range) : response;
        return { ...info, size, body: mappedBody(body, toStoreError, signal) };
      } catch (error) {
        response.destroy();
        throw error;
      }
    },

    head,

    async put(key, body, options = {}) {
      checkKey(key, 'store.put');
      const { ifMatch, ifNoneMatch, contentType, signal } = options;
      const sha256 = options.sha256 ?? (await sha256Of(body, { key: client.subject(key), signal }));
      const headers: Record<string, string> = { 'content-type': contentType ?? 'application/octet-stream' };
      if (ifMatch !== undefined) headers['if-match'] = ifMatch;
      if (ifNoneMatch !== undefined) headers['if-none-match'] = ifNoneMatch;
      // Kept with the object, and told by `head`. A bucket with Object Lock takes nothing without.
      headers['x-amz-checksum-sha256'] = Buffer.from(sha256, 'hex').toString('base64');
      const request: S3Request = { op: 'store.put', method: 'PUT', key, headers, body, sha256, signal };
      try {
        return await put(request, options);
      } catch (error) {
        if (!mayCreate || ifMatch !== undefined || !isRuntimeError(error, 'not-found'))
          throw await blameChecksum(error, key, body, options);
        await createBucket(client, region, signal);
        return await put(request, options);
      }
    },

    async append(key, base, tail, options) {
      checkKey(key, 'store.append');
      const { appendByCopy, createSweeper, s3Multipart } = await import('../parts/append.ts');
      sweeper ??= createSweeper();
      return await appendByCopy(
        { key, base, tail, calls: s3Multipart(client, bucket, key), sweeper },
        options,
      );
    },

    async copy(from, to, { signal } = {}) {
      for (const key of [from, to]) checkKey(key, 'store.copy');
      const headers = { 'x-amz-copy-source': `/${bucket}/${encodePath(from)}` };
      await client.sendForText({ op: 'store.copy', method: 'PUT', key: to, headers, signal });
    },

    async *list(prefix, { signal, startAfter } = {}): AsyncGenerator<ObjectInfo> {
      let next: string | undefined;
      do {
        const query = {
          'list-type': '2',
          'encoding-type': 'url',
          prefix,
          ...(startAfter !== undefined && { 'start-after': startAfter }),
          ...(next !== undefined && { 'continuation-token': next }),
        };
        const { text } = await client.sendForText({ op: 'store.list', method: 'GET', query, signal });
        const page = parseListPage(text);
        if (!page)
          throw new RuntimeError('unavailable', `${client.subject(undefined)}: an incomplete listing`, {
            op: 'store.list',
            hint: 'Check MINIO_ENDPOINT: what answers there may be no store.',
          });
        yield* page.objects;
        next = page.next;
      } while (next !== undefined);
    },

    async delete(key, { signal } = {}) {
      checkKey(key, 'store.delete');
      try {
        await client.sendForText({ op: 'store.delete', method: 'DELETE', key, signal });
      } catch (error) {
        if (!isRuntimeError(error, 'not-found')) throw error;
      }
    },

    async now({ signal } = {}) {
      const request: S3Request = { op: 'store.now', method: 'HEAD', signal, anonymous: true };
      const { response } = await client.sendForText(request);
      const now = Date.parse(response.headers.date ?? '');
      if (!Number.isNaN(now)) return now;
      throw new RuntimeError('unavailable', `${client.subject(undefined)}: an answer without the time`);
    },

    close: () => client.close(),
  };
}

function infoOf(key: string, headers: IncomingHttpHeaders): ObjectInfo {
  // `bytes 0-9/1000`: of a range, the length is only its own.
  const whole = headers['content-range']?.split('/')[1] ?? headers['content-length'];
  return {
    key,
    size: Number(whole),
    etag: quoted(headers.etag ?? ''),
    modified: Date.parse(headers['last-modified'] ?? ''),
    sha256: wholeChecksum(headers['x-amz-checksum-sha256']),
  };
}
