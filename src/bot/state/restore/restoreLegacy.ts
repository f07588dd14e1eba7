import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Header } from 'tar-stream';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { intoPlace, type Place } from '../local/intoPlace.ts';
import { nothing, type RestoreReport } from '../local/restoreReport.ts';
import { LegacyTree } from './legacyTree.ts';

const BLOCK = 512;

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
  const { extract } = await import('../../../base/parts/tar.ts');
  const archive = extract();
  let length = 0;
  let end = 0;
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      length += chunk.length;
      yield chunk;
    }
  }
  try {
    const object = await store.get(key, { signal });
    const feeding = pipeline(object.body, createGunzip(), counted, archive, { signal });
    // Awaited below; what the loop throws ends it too, and is what is told then.
    feeding.catch(() => {});
    for await (const entry of archive) {
      const source = entry as unknown as AsyncIterable<unknown> & { header: Header & { byteOffset: number } };
      const { byteOffset, size, type } = source.header;
      await built.add(source.header, source);
      entry.resume();
      end = byteOffset + (type === 'directory' ? 0 : Math.ceil(size / BLOCK) * BLOCK);
    }
    await feeding;
  } catch (error) {
    signal.throwIfAborted();
    if (isRuntimeError(error) && error.code !== 'not-found') throw error;
    if ((error as { syscall?: unknown }).syscall !== undefined) throw error;
    throw damaged(key, error);
  }
  // Without its end mark, an archive cut between two entries would look whole.
  if (length < end + BLOCK) throw damaged(key, new Error('the end mark of the tar is missing'));
}

function damaged(key: string, cause: unknown): RuntimeError {
  return new RuntimeError('damaged', `${key} cannot be restored`, {
    op: 'state.restore',
    path: key,
    hint: 'The saved state is in the older format, and damaged or gone. Put back an earlier version of it.',
    cause,
  });
}
