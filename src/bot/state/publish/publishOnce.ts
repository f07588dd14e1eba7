import { asRuntimeError } from '../../../base/errors.ts';
import type { Claim } from '../claim/claim.ts';
import type { HeadKeeper } from '../claim/headKeeper.ts';
import { encodeHead } from '../format/head.ts';
import { checkLimits } from '../format/limits.ts';
import { isSameState } from '../format/treeEntries.ts';
import { restoredBy } from '../local/restoredBy.ts';
import type { TreeRoot } from '../local/treeRoot.ts';
import { type Capture, capture } from './capture.ts';
import { nextHead } from './nextHead.ts';
import { PackWriter } from './packWriter.ts';
import { Picture } from './picture.ts';
import { placeSnapshot } from './placeSnapshot.ts';
import { compacted, type Published } from './published.ts';
import type { PublisherOptions, PublishOptions } from './publisher.ts';
import type { PublishReport } from './publishReport.ts';
import { reportSkipped } from './reportSkipped.ts';
import { chooseTarget, filesToRead } from './target.ts';
import type { PublishContext } from './uploads.ts';
import type { SnapshotFacts } from './writeSnapshot.ts';

/** What the publishes of one directory have in common. */
export interface PublishSession {
  readonly context: PublishContext;
  readonly claim: Claim;
  readonly options: PublisherOptions;
  readonly root: TreeRoot;
  readonly keeper: HeadKeeper;
  /** See `ScanOptions`. */
  readonly restoredAt: number;
  /** Paths of which a warning has said that they cannot be saved. */
  readonly reported: Set<string>;
}

export interface PublishOutcome {
  /** What the next publish is compared with. */
  readonly published: Published;
  /** Undefined: nothing has changed. */
  readonly report: PublishReport | undefined;
}

/** One publish, step by step (`publisher.ts`). When it throws, the last snapshot is untouched. */
export async function publishOnce(
  session: PublishSession,
  before: Published,
  { signal, still = false }: PublishOptions,
): Promise<PublishOutcome> {
  const { context, keeper, options, root } = session;
  const { clock } = context;
  const startedAt = clock.now();
  const began = clock.elapsed();

  const check = (scan: Picture['latest']) => checkLimits(scan.tree, options.limits);
  const picture = new Picture(before.tree, {
    root,
    clock,
    signal,
    restoredAt: restoredBy(session.restoredAt, startedAt),
    owner: options.owner?.uid,
    check,
  });
  // With what `lstat` says now: of a tree that was restored nothing else is known yet.
  if (picture.isSettled) return { published: { ...before, tree: picture.latest.tree }, report: undefined };

  const target = chooseTarget(picture.latest.tree, before, keeper.head);
  picture.readAlso(filesToRead(picture.latest.tree, target));
  const { usable } = target;
  const writer = new PackWriter(context, before.table, { signal, usable });
  try {
    const captured = await capture(picture, writer, { clock, signal, still, freezer: options.freezer });
    const { tree } = captured;
    reportSkipped(context, captured.skipped, session.reported);
    if (isSameState(before.tree, tree, before.table)) {
      tree.takeContents(before.tree);
      return { published: compacted({ ...before, tree }), report: undefined };
    }
    const { head } = keeper;
    const facts = snapshotFacts(session, captured, startedAt);
    const placement = { facts, tree, published: before, head, target, writer };
    const placed = await besideProbe(keeper, signal, (signal) => placeSnapshot(context, placement, signal));
    // What the probe has found is not what this snapshot was made for. It asks only once, and what went up is there.
    if (keeper.head !== head) return await publishOnce(session, before, { signal, still });
    const next = await nextHead(context, keeper.head, { ...placed, keep: options.keep }, signal);
    await context.uploads.confirm(signal);
    // Head last: a crash before this leaves the old snapshot valid.
    await keeper.move(next, signal);
    if (options.exportTarGz) await exportNewest(context, signal);

    const { sequence, generation, createdAt: at, files, bytes, consistent } = placed.record;
    const uploadedBytes = placed.uploadedBytes + encodeHead(next).length;
    const durationMs = clock.elapsed() - began;
    const { frozenMs } = captured;
    const report = {
      sequence,
      generation,
      at,
      files,
      bytes,
      consistent,
      uploadedBytes,
      frozenMs,
      durationMs,
    };
    return { published: still ? placed.published : compacted(placed.published), report };
  } finally {
    await writer.settle();
  }
}

/** Finds out about the store while the work goes on, and ends that when somebody else has taken over. */
async function besideProbe<T>(
  keeper: HeadKeeper,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const failed = new AbortController();
  const probed = keeper.probe(signal).catch((error: unknown) => {
    failed.abort(error);
    throw error;
  });
  probed.catch(() => {});
  const result = await work(AbortSignal.any([signal, failed.signal]));
  await probed;
  return result;
}

/** An entry that had not changed for a tick when the publish began is in the snapshot as it is (`agreedAt`). */
function snapshotFacts(
  { keeper, claim }: PublishSession,
  { tree, consistent }: Capture,
  startedAt: number,
): SnapshotFacts {
  return {
    sequence: keeper.head.sequence + 1,
    generation: claim.generation,
    createdAt: new Date(startedAt).toISOString(),
    ...tree.totals(),
    consistent,
  };
}

/** The snapshot is safe already, and this is for other readers: a failure is a warning. */
async function exportNewest(context: PublishContext, signal: AbortSignal): Promise<void> {
  const { publishExport } = await import('../parts/archives.ts');
  await publishExport(context, signal).catch((error: unknown) => {
    const { message, hint } = asRuntimeError(error);
    context.warn('state.tar.gz could not be brought up to date', { reason: message, hint });
  });
}
