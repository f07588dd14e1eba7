import { mkdirSync, readdirSync } from 'node:fs';
import { isRuntimeError, RuntimeError } from '../errors.ts';
import { buildTree } from './buildTree.ts';
import type { Claim } from './claim.ts';
import type { StateContext } from './context.ts';
import { toSystemPath } from './entryPath.ts';
import { RESERVED_NAME } from './format.ts';
import { intoPlace, type Place } from './intoPlace.ts';
import { checkLimits } from './limits.ts';
import { loadSnapshot } from './loadSnapshot.ts';
import { type Marker, readMarker, writeMarker } from './marker.ts';
import { nothing, type RestoreOptions, type RestoreReport } from './restoreReport.ts';
import { openRoot, type TreeRoot } from './treeRoot.ts';

/**
 * Puts the newest good snapshot into `dir`. The tree is built and verified aside and then moved in; a crash before
 * the end leaves a marker that makes the next start do it again. Throws `damaged` when no snapshot verifies.
 */
export async function restore(
  context: StateContext,
  claim: Claim,
  options: RestoreOptions,
): Promise<RestoreReport> {
  mkdirSync(options.dir, { recursive: true });
  const root = openRoot(options.dir);
  const marker = readMarker(root);
  if (isToBeKept(context, claim, root, marker)) return keep(context, claim, root, marker);
  const place: Place = {
    ...options,
    root,
    begin: () => writeMarker(root, { ...freshMarker(context, claim), complete: false }),
  };
  const report =
    claim.head.snapshots.length > 0
      ? await restoreNewest(context, claim, place)
      : claim.head.legacy
        ? await (await import('./restoreLegacy.ts')).restoreLegacy(context, place)
        : nothing;
  writeMarker(root, { ...freshMarker(context, claim), sequence: report.sequence });
  return report;
}

/**
 * The tree here is kept when nobody else has had the bot since: it holds all that is saved and perhaps more. And where
 * nothing was ever saved, there is nothing to put in its place.
 */
function isToBeKept(
  context: StateContext,
  claim: Claim,
  root: TreeRoot,
  marker: Marker | undefined,
): boolean {
  const { previous, generation, head } = claim;
  if (marker?.complete && marker.bot === context.bot) {
    if (marker.generation === previous.generation || marker.generation === generation) return true;
    if (marker.claimants.includes(previous.holder)) return true;
  }
  if (head.snapshots.length > 0 || head.legacy) return false;
  const names = readdirSync(toSystemPath(root.path));
  return names.some((name) => name !== RESERVED_NAME);
}

async function keep(
  context: StateContext,
  claim: Claim,
  root: TreeRoot,
  marker: Marker | undefined,
): Promise<RestoreReport> {
  const newest = claim.head.snapshots.at(-1);
  const sequence = newest?.sequence ?? 0;
  // Nobody who only looks may take the tree from its writer.
  if (claim.generation > 0) {
    const restoredAt = marker?.restoredAt ?? 0;
    writeMarker(root, { ...freshMarker(context, claim), sequence, restoredAt });
  }
  const { files, bytes } = newest ?? { files: 0, bytes: 0 };
  return { ...nothing, sequence, files, bytes, kept: true };
}

function freshMarker({ bot, clock }: StateContext, { generation }: Claim): Marker {
  return { bot, generation, sequence: 0, complete: true, claimants: [], restoredAt: clock.now() * 1000 };
}

async function restoreNewest(context: StateContext, claim: Claim, place: Place): Promise<RestoreReport> {
  const newest = claim.head.snapshots.at(-1)!;
  let failure: unknown;
  for (const record of claim.head.snapshots.toReversed()) {
    try {
      const snapshot = await loadSnapshot(context, record, place.signal);
      checkLimits(snapshot.tree, place);
      const built = await intoPlace(place, (base) =>
        buildTree(context, snapshot, { ...place, base, reuse: place.root, inline: claim.head.blobs }),
      );
      const { sequence, files, bytes } = record;
      const fellBackTo = record === newest ? undefined : sequence;
      const { fetchedBytes, reusedBytes } = built;
      return { ...nothing, sequence, files, bytes, fetchedBytes, reusedBytes, fellBackTo };
    } catch (error) {
      if (!isRuntimeError(error, 'damaged') || error.op === 'state.limit') throw error;
      failure ??= error;
      context.warn(
        `snapshot ${record.sequence} is damaged and cannot be restored; trying the one before it`,
        {
          snapshot: record.sequence,
          reason: error.message,
        },
      );
    }
  }
  throw new RuntimeError('damaged', `no snapshot of ${context.bot} can be restored`, {
    op: 'state.restore',
    hint: '`runtime state verify` names what is damaged; put those objects back from a copy or a bucket version.',
    cause: failure,
  });
}
