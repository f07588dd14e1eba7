import type { SnapshotRecord } from '../format/head.ts';
import type { LoadedSnapshot } from '../read/loadSnapshot.ts';
import { PackWriter } from './packWriter.ts';
import type { PublishContext } from './uploads.ts';
import { type SnapshotFacts, writeSnapshot } from './writeSnapshot.ts';

/**
 * Writes a snapshot that was loaded as one of these `facts`, with a manifest of its own. What is in packs stays where it is; `fill` adds
 * what is in none.
 */
export async function writeLoaded(
  context: PublishContext,
  facts: SnapshotFacts,
  loaded: LoadedSnapshot,
  signal: AbortSignal,
  fill?: (writer: PackWriter) => void,
): Promise<SnapshotRecord> {
  const { tree, table } = loaded;
  const writer = new PackWriter(context, table, { signal, usable: (row) => table.frame(row) !== undefined });
  try {
    fill?.(writer);
    const { record } = await writeSnapshot(context, facts, { tree, before: loaded }, writer, signal);
    return record;
  } finally {
    await writer.settle();
  }
}
