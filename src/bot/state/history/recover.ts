import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { FORMAT, keys } from '../format/format.ts';
import { encodeHead, type Head, NEWER_FORMAT, type SnapshotRecord } from '../format/head.ts';
import type { Manifest } from '../format/manifest.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { lookAgain } from '../read/lookAgain.ts';
import { readHead } from '../read/readHead.ts';

export interface RecoverOptions {
  /** Snapshots that the new head names at most. */
  readonly keep: number;
  readonly signal: AbortSignal;
}

export interface RecoverReport {
  /** Newest last. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Manifests that something is missing of. */
  readonly damaged: readonly { readonly manifest: string; readonly reason: string }[];
}

/**
 * Added to the generation of the newest manifest. Generations that saved nothing have left no trace, and none may come again: the
 * marker of a local tree from one of them would pass for the newest.
 */
const GENERATIONS = 1_000_000;

const NAME = /^\d+-[0-9a-f]{64}$/;

/**
 * Makes a head from the newest manifests whose entries and packs are all there, where the head is gone or damaged. Throws
 * `refused` where it is neither, and `not-found` where there is no such manifest. Snapshots that were inside the head are lost.
 */
export async function recover(
  context: StateContext,
  { keep, signal }: RecoverOptions,
): Promise<RecoverReport> {
  const { store, bot, clock } = context;
  const condition = await conditionForHead(context, signal);
  const packs = new Map<string, number>();
  for await (const { key, size } of store.list(keys.packs(bot), { signal })) packs.set(key, size);
  const names: string[] = [];
  for await (const { key } of store.list(keys.manifests(bot), { signal })) {
    const name = key.slice(keys.manifests(bot).length);
    if (NAME.test(name)) names.push(name);
  }
  names.sort((a, b) => sequenceOf(b) - sequenceOf(a));

  const snapshots: SnapshotRecord[] = [];
  const damaged: { manifest: string; reason: string }[] = [];
  for (const name of names) {
    if (snapshots.length === keep) break;
    // Two manifests can have one sequence, where one was given up for the other. It is not known which; the first good one is taken.
    if (snapshots[0]?.sequence === sequenceOf(name)) continue;
    try {
      const look = () => goodSnapshot(context, name, packs, signal);
      snapshots.unshift(await lookAgain(context, look, signal));
    } catch (error) {
      if (!isRuntimeError(error, 'damaged', 'not-found')) throw error;
      damaged.push({ manifest: name, reason: error.message });
    }
  }
  const newest = snapshots.at(-1);
  if (!newest) throw nothingGood(bot, damaged.length);
  const head: Head = {
    format: FORMAT,
    bot,
    generation: newest.generation + GENERATIONS,
    holder: '',
    sequence: Math.max(...names.map(sequenceOf)),
    updatedAt: new Date(clock.now()).toISOString(),
    legacy: false,
    snapshots,
    blobs: {},
  };
  await store.put(keys.head(bot), encodeHead(head), { ...condition, signal });
  return { snapshots, damaged };
}

async function conditionForHead(
  context: StateContext,
  signal: AbortSignal,
): Promise<{ readonly ifMatch: string } | { readonly ifNoneMatch: '*' }> {
  const { store, bot } = context;
  try {
    if (!(await readHead(context, signal))) return { ifNoneMatch: '*' };
  } catch (error) {
    if (!isRuntimeError(error, 'damaged') || error.op === NEWER_FORMAT) throw error;
    return { ifMatch: (await store.head(keys.head(bot), { signal })).etag };
  }
  throw new RuntimeError('refused', `${bot} has a head, and it is good`, {
    op: 'state.recover',
    path: keys.head(bot),
    hint: 'Nothing has to be recovered: `runtime state ls` shows what is kept.',
  });
}

async function goodSnapshot(
  context: StateContext,
  name: string,
  packs: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<SnapshotRecord> {
  const sequence = sequenceOf(name);
  const wanted = {
    sequence,
    generation: 0,
    createdAt: '',
    files: 0,
    bytes: 0,
    consistent: true,
    manifest: name,
  };
  const { manifest } = (await loadSnapshot(context, wanted, signal)) as { manifest: Manifest };
  for (const [hash, size] of manifest.packs) {
    const key = keys.pack(context.bot, hash);
    if (packs.get(key) === size) continue;
    throw new RuntimeError('damaged', `${key} is ${packs.has(key) ? 'not as long as it was' : 'missing'}`, {
      path: key,
    });
  }
  const { generation, createdAt, files, bytes, consistent } = manifest;
  return { sequence, generation, createdAt, files, bytes, consistent, manifest: name };
}

const sequenceOf = (name: string): number => Number(name.slice(0, name.indexOf('-')));

function nothingGood(bot: string, damaged: number): RuntimeError {
  const what = damaged === 0 ? 'no manifest' : `no manifest that is whole (${damaged} are not)`;
  return new RuntimeError('not-found', `there is ${what} of ${bot}`, {
    op: 'state.recover',
    hint: 'Small states live inside the head: put back an earlier version of that (bucket versioning, a copy).',
  });
}
