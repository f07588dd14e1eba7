import { RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../../../bot/state/format/context.ts';
import { fromText, pathToText } from '../../../bot/state/format/entryPath.ts';
import type { Head, SnapshotRecord } from '../../../bot/state/format/head.ts';
import type { Tree } from '../../../bot/state/format/tree.ts';
import { forkState } from '../../../bot/state/history/forkState.ts';
import { exportTar } from '../../../bot/state/read/exportTar.ts';
import { loadSnapshot } from '../../../bot/state/read/loadSnapshot.ts';
import { partOf } from '../../../bot/state/read/partOf.ts';
import { readContents } from '../../../bot/state/read/readContents.ts';
import { readHead } from '../../../bot/state/read/readHead.ts';
import { findSnapshot, requireHead } from '../../../bot/state/read/snapshots.ts';
import type { Disks, SavedDisk, SavedEntry, SavedSnapshot } from './disks.ts';

export interface DisksOptions {
  readonly contextOf: (state: string) => Promise<StateContext>;
  readonly purge: (state: string, signal: AbortSignal) => Promise<void>;
}

export function openDisks({ contextOf, purge }: DisksOptions): Disks {
  return {
    snapshots: async (state, signal) => {
      const stored = await readHead(await contextOf(state), signal);
      return (stored?.head.snapshots ?? []).map(shown);
    },
    open: async (state, sequence, signal) => {
      const context = await contextOf(state);
      const head = await requireHead(context, signal);
      return await openDisk(context, head, findSnapshot(head, sequence), signal);
    },
    keep: async (state, sequence, as, signal) => {
      await forkState(await contextOf(as), { from: state, sequence, signal });
    },
    drop: purge,
  };
}

const shown = ({ sequence, createdAt, files, bytes }: SnapshotRecord): SavedSnapshot => ({
  sequence,
  createdAt,
  files,
  bytes,
});

async function openDisk(
  context: StateContext,
  head: Head,
  record: SnapshotRecord,
  signal: AbortSignal,
): Promise<SavedDisk> {
  const snapshot = await loadSnapshot(context, record, signal);
  const { tree } = snapshot;
  const indexOf = (path: string) => tree.paths.indexOf(fromText(path));
  const must = (path: string, type: SavedEntry['type']) => {
    const index = indexOf(path);
    if (index === -1 && !(path === '' && type === 'folder'))
      throw new RuntimeError('not-found', `there is no ${JSON.stringify(path)}`, { op: 'disk.read', path });
    const is = index === -1 ? 'folder' : tree.type(index);
    if (is === type) return;
    throw new RuntimeError('conflict', `${JSON.stringify(path)} is a ${is}, not a ${type}`, {
      op: 'disk.read',
      path,
    });
  };
  return {
    snapshot: shown(record),
    entry: (path) => {
      if (path === '') return root(record);
      const index = indexOf(path);
      return index === -1 ? undefined : entryOf(tree, index);
    },
    list: (path) => {
      must(path, 'folder');
      const above = path === '' ? '' : `${fromText(path)}/`;
      return [...tree.paths.keys()].flatMap((index) => {
        const entry = tree.paths[index]!;
        const isIn = entry.startsWith(above) && !entry.slice(above.length).includes('/');
        return isIn ? [entryOf(tree, index)] : [];
      });
    },
    read: async function* (path, reading) {
      must(path, 'file');
      const one = { ...snapshot, tree: partOf(tree, path, record.sequence) };
      for await (const { bytes } of readContents(context, one, head, reading)) yield bytes;
    },
    archive: async (path, output, reading) => {
      must(path, 'folder');
      await exportTar(context, { sequence: record.sequence, path, output, gzip: true, signal: reading });
    },
  };
}

function entryOf(tree: Tree, index: number): SavedEntry {
  const target = tree.targets.get(index);
  return {
    path: pathToText(tree.paths[index]!),
    type: tree.type(index),
    mode: tree.mode(index),
    size: tree.size(index),
    modifiedAt: Math.floor(tree.mtime(index) / 1000),
    target: target === undefined ? undefined : pathToText(target),
  };
}

/** A snapshot does not say what its root was. */
function root({ createdAt }: SnapshotRecord): SavedEntry {
  return {
    path: '',
    type: 'folder',
    mode: 0o755,
    size: 0,
    modifiedAt: Date.parse(createdAt),
    target: undefined,
  };
}
