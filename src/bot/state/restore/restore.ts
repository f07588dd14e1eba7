import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { Claim } from '../claim/claim.ts';
import { keepOrReplace } from '../claim/tree/keepOrReplace.ts';
import { readMarker, writeMarker, writeMarkerAt } from '../claim/tree/marker.ts';
import { freshMarker, keptMarker } from '../claim/tree/markerFor.ts';
import type { StateContext } from '../format/context.ts';
import { below } from '../format/entryPath.ts';
import { checkLimits, LIMIT } from '../format/limits.ts';
import { intoPlace, type Place } from '../local/intoPlace.ts';
import { isEmpty } from '../local/isEmpty.ts';
import { nothing, type Restored, type RestoreOptions, type RestoreReport } from '../local/restoreReport.ts';
import { openRoot, type TreeRoot } from '../local/treeRoot.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { lookAgain } from '../read/lookAgain.ts';
import { buildTree } from './buildTree.ts';

/*
 * The room of the restore: from a snapshot to a tree.
 *
 *  1. `keepOrReplace` (bot/state/claim/tree) keeps the tree in the directory, or has it replaced.
 *  2. The newest snapshot is loaded; where it is damaged however often it is read (`lookAgain`), the one before it, with a warning.
 *     `checkLimits` refuses one that is too large.
 *  3. `buildTree` builds its tree aside: it takes over local files that are the same and fetches the rest. Every block is checked.
 *  4. `intoPlace` moves it in. A marker says `complete: false` until that is done.
 *  5. `restoreLegacy` restores a state in the older format: a tar takes the place of 2 and 3.
 *
 * `restoreTo` does 2 to 4 for people, into an empty directory.
 */

/**
 * Puts the newest good snapshot into `dir`. The tree is built and verified aside and then moved in; a crash before
 * the end leaves a marker that makes the next start do it again. Throws `damaged` when no snapshot verifies.
 */
export async function restore(
  context: StateContext,
  claim: Claim,
  options: RestoreOptions,
): Promise<Restored> {
  makeFolders(options.dir);
  const root = openRoot(options.dir);
  const left = readMarker(root);
  const kept = (await keepOrReplace(context, claim, { root, marker: left }, options.signal)) === 'keep';
  const { snapshot, ...report } = kept
    ? keptReport(claim)
    : await replace(context, claim, { ...options, root });
  const marker = kept ? keptMarker(context, claim, left) : freshMarker(context, claim, report.sequence);
  // A process that only reads must not take the tree from its writer.
  if (!kept || claim.generation > 0) writeMarker(root, marker);
  const { device, inode } = root;
  const { sequence, restoredAt } = marker;
  return { ...report, tree: { device, inode, sequence, restoredAt }, snapshot };
}

type Replaced = RestoreReport & Partial<Pick<Restored, 'snapshot'>>;

async function replace(
  context: StateContext,
  claim: Claim,
  options: RestoreOptions & { readonly root: TreeRoot },
): Promise<Replaced> {
  const place: Place = {
    ...options,
    begin: (folder) =>
      writeMarkerAt(below(folder, 'marker'), { ...freshMarker(context, claim, 0), complete: false }),
  };
  if (claim.head.snapshots.length > 0) return await restoreNewest(context, claim, place);
  if (!claim.head.legacy) return nothing;
  const { restoreLegacy } = await import('../parts/archives.ts');
  return await lookAgain(context, () => restoreLegacy(context, place), place.signal);
}

function keptReport({ head }: Claim): Replaced {
  const { sequence, files, bytes } = head.snapshots.at(-1) ?? nothing;
  return { ...nothing, sequence, files, bytes, kept: true };
}

async function restoreNewest(context: StateContext, claim: Claim, place: Place): Promise<Replaced> {
  const newest = claim.head.snapshots.at(-1)!;
  const reuse = isEmpty(place.root) ? undefined : place.root;
  let failure: unknown;
  for (const record of claim.head.snapshots.toReversed()) {
    try {
      const look = async () => {
        const snapshot = await loadSnapshot(context, record, place.signal);
        checkLimits(snapshot.tree, place);
        const built = await intoPlace(place, (base) =>
          buildTree(context, snapshot, { ...place, base, reuse, inline: claim.head.blobs }),
        );
        return { snapshot, built };
      };
      const { snapshot, built } = await lookAgain(context, look, place.signal);
      const { sequence, files, bytes } = record;
      const fellBackTo = record === newest ? undefined : sequence;
      const { fetchedBytes, reusedBytes } = built;
      return { ...nothing, sequence, files, bytes, fetchedBytes, reusedBytes, fellBackTo, snapshot };
    } catch (error) {
      if (!isRuntimeError(error, 'damaged') || error.op === LIMIT) throw error;
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
