import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { readTar } from '../../../base/tar/readTar.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { intoPlace, type Place } from '../local/intoPlace.ts';
import { nothing, type RestoreReport } from '../local/restoreReport.ts';
import { LegacyTree } from './legacyTree.ts';

/** What an agent before this format saved: `<bot>/state.tar.gz`, which is left alone. Throws `damaged`. */
export async function restoreLegacy(context: StateContext, place: Place): Promise<RestoreReport> {
  const legacy = await intoPlace(place, async (base) => {
    const built = new LegacyTree(context, base, place);
    await unpack(context, built, place.signal);
    built.finish();
    return built;
  });
  const { files, bytes } = legacy.tree.totals();
  return { ...nothing, files, bytes, fetchedBytes: bytes, legacy: true };
}

async function unpack({ store, bot }: StateContext, built: LegacyTree, signal: AbortSignal): Promise<void> {
  const key = keys.legacy(bot);
  let body: Readable | undefined;
  try {
    ({ body } = await store.get(key, { signal }));
    for await (const entry of readTar(unpacked(key, body, signal))) {
      signal.throwIfAborted();
      await built.add(entry);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isRuntimeError(error) && error.code !== 'not-found') throw error;
    if ((error as { syscall?: unknown }).syscall !== undefined) throw error;
    throw damaged(key, error);
  } finally {
    body?.destroy();
  }
}

/** At least as many as any of these. */
const MAGIC_BYTES = 8;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** What GNU tar would read as well, and we do not. */
const unread: readonly [name: string, magic: Buffer][] = [
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['lzip', Buffer.from('LZIP')],
  ['compress', Buffer.from([0x1f, 0x9d])],
];

/** The tar. Its compression is told by its bytes, not by its name. */
async function* unpacked(
  key: string,
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    first = Buffer.concat([first, next.value]);
    if (first.length >= MAGIC_BYTES) break;
  }
  const startsWith = (magic: Buffer) => first.subarray(0, magic.length).equals(magic);
  for (const [name, magic] of unread) if (startsWith(magic)) throw packedBy(key, name);
  async function* whole(): AsyncGenerator<Buffer> {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  const unpacker = startsWith(GZIP) ? createGunzip() : startsWith(ZSTD) ? createZstdDecompress() : undefined;
  if (!unpacker) return yield* whole();
  const feeding = pipeline(whole(), unpacker, { signal });
  // What ends it ends the unpacker as well, and is thrown there.
  feeding.catch(() => {});
  yield* unpacker as AsyncIterable<Buffer>;
  await feeding;
}

function packedBy(key: string, name: string): RuntimeError {
  return new RuntimeError('damaged', `${key} cannot be restored: it is packed by ${name}`, {
    op: 'state.restore',
    path: key,
    hint: 'Pack it again as tar.gz or tar.zst, or leave it a plain tar; its name may stay.',
  });
}

function damaged(key: string, cause: unknown): RuntimeError {
  const why = cause instanceof Error && !isRuntimeError(cause) ? `: ${cause.message}` : '';
  return new RuntimeError('damaged', `${key} cannot be restored${why}`, {
    op: 'state.restore',
    path: key,
    hint: 'The saved state is in the older format, and damaged or gone. Put back an earlier version of it.',
    cause,
  });
}
