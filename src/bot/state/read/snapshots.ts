import { RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import type { Head, SnapshotRecord } from '../format/head.ts';
import { findHead } from './findHead.ts';

/** The head of a bot that must have one; `not-found` (66) otherwise, `damaged` (65) where it is gone beside other objects. */
export async function requireHead(context: StateContext, signal: AbortSignal): Promise<Head> {
  const { stored, legacy } = await findHead(context, signal);
  if (stored) return stored.head;
  throw new RuntimeError('not-found', `there is no saved state of a bot ${JSON.stringify(context.bot)}`, {
    op: 'state.read',
    hint: legacy
      ? 'There is one in the older format alone (state.tar.gz): it gets snapshots when the bot has run.'
      : 'Check the name of the bot and which store and bucket are configured.',
  });
}

/** The kept snapshots, oldest first. */
export async function listSnapshots(
  context: StateContext,
  signal: AbortSignal,
): Promise<readonly SnapshotRecord[]> {
  return (await requireHead(context, signal)).snapshots;
}

/** The snapshot of that sequence, by default the newest; `not-found` names those that there are. */
export function findSnapshot(head: Head, sequence: number | undefined): SnapshotRecord {
  const record =
    sequence === undefined ? head.snapshots.at(-1) : head.snapshots.find((s) => s.sequence === sequence);
  if (record) return record;
  const there = head.snapshots.map((snapshot) => snapshot.sequence).join(', ') || 'none';
  throw new RuntimeError('not-found', `${head.bot} has no snapshot ${sequence ?? ''}`.trimEnd(), {
    op: 'state.read',
    hint: `Snapshots that are kept: ${there}.`,
  });
}
