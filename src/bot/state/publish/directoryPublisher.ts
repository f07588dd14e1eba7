import { closeSync } from 'node:fs';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import type { Claim } from '../claim/claim.ts';
import { HeadKeeper } from '../claim/headKeeper.ts';
import { keepMarker } from '../claim/tree/keepMarker.ts';
import type { Marker } from '../claim/tree/marker.ts';
import type { StateContext } from '../format/context.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { encodeHead, type Head, type SnapshotRecord } from '../format/head.ts';
import { checkLimits } from '../format/limits.ts';
import type { Tree } from '../format/tree.ts';
import { isSameState } from '../format/treeEntries.ts';
import { pinRoot, type TreeRoot } from '../local/treeRoot.ts';
import { type Capture, capture } from './capture.ts';
import { forgetPacks } from './forgetPacks.ts';
import { fitsInline, inlineSnapshot, packInline } from './inlineSnapshot.ts';
import { loadBase } from './loadBase.ts';
import { nextHead } from './nextHead.ts';
import { PackWriter } from './packWriter.ts';
import { compacted, liveBytes, type Published } from './published.ts';
import type { Publisher, PublisherOptions, PublishOptions } from './publisher.ts';
import type { PublishReport } from './publishReport.ts';
import { reportSkipped } from './reportSkipped.ts';
import { type SnapshotFacts, writeSnapshot } from './writeSnapshot.ts';

/**
 * Uploads of failed publishes are taken up by the next one, up to this age: half of what pruning waits before it
 * removes what no manifest names.
 */
const ORPHANS_MS = 12 * 60 * 60 * 1000;

/** Told of once, among the paths that cannot be saved. */
const MARKER_PATH = RESERVED_NAME;

interface Written {
  readonly record: SnapshotRecord;
  readonly published: Published;
  readonly blobs: Head['blobs'];
  readonly bytes: number;
}

/** Publishes one directory, again and again, remembering what the store already has. */
export class DirectoryPublisher implements Publisher {
  readonly #context: StateContext;
  readonly #claim: Claim;
  readonly #options: PublisherOptions;
  readonly #root: TreeRoot;
  /** Keeps the directory's inode number from being given to another one that takes its place. */
  #pin: number | undefined;
  readonly #marker: Marker;
  readonly #keeper: HeadKeeper;
  readonly #reported = new Set<string>();
  #published: Published | undefined;
  #failedAt: number | undefined;

  constructor(
    context: StateContext,
    claim: Claim,
    options: PublisherOptions,
    root: TreeRoot,
    marker: Marker,
  ) {
    this.#context = context;
    this.#claim = claim;
    this.#options = options;
    this.#root = root;
    this.#pin = pinRoot(root);
    this.#marker = marker;
    this.#keeper = new HeadKeeper(context, claim);
  }

  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#keeper.settle(signal);
    this.#published ??= await this.#base(signal);
    await this.#keeper.probe(signal);
  }

  close(): void {
    if (this.#pin !== undefined) closeSync(this.#pin);
    this.#pin = undefined;
  }

  async checkGeneration({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#keeper.check(signal);
    this.#keepMarker();
  }

  async publish(options: PublishOptions): Promise<PublishReport | undefined> {
    const { clock } = this.#context;
    const startedAt = clock.now();
    this.#dropOldOrphans(startedAt);
    await this.#keeper.settle(options.signal);
    this.#published ??= await this.#base(options.signal);
    try {
      const report = await this.#attempt(this.#published, options, startedAt);
      return report && { ...report, durationMs: clock.now() - startedAt };
    } catch (error) {
      this.#failedAt ??= startedAt;
      // The head has moved, or may have: what we remember may no longer be what was published last, and what it alone
      // refers to may be pruned.
      if (isRuntimeError(error, 'conflict') || this.#keeper.isUncertain) this.#published = undefined;
      throw error;
    }
  }

  async #attempt(published: Published, { signal, still = false }: PublishOptions, startedAt: number) {
    const { tree: before, table } = published;
    const { head } = this.#keeper;
    // Only once something has changed: it looks at every blob.
    let forgotten: ReadonlySet<number> | undefined;
    const isForgotten = (pack: number) => {
      forgotten ??= forgetPacks(table, liveBytes(published));
      return forgotten.has(pack);
    };
    const isInline = (row: number) => Object.hasOwn(head.blobs, table.hash(row).toString('hex'));
    const isPacked = (row: number) => {
      const frame = table.frame(row);
      return frame !== undefined && !isForgotten(frame.pack);
    };
    let inline = false;
    const writer = new PackWriter(this.#context, table, {
      signal,
      usable: (row) => (inline ? isInline(row) : isPacked(row)),
    });
    try {
      const captured = await capture(before, {
        root: this.#root,
        clock: this.#context.clock,
        writer,
        signal,
        still,
        freezer: this.#options.freezer,
        restoredAt: this.#marker.restoredAt,
        check: (scan) => checkLimits(scan.tree, this.#options.limits),
        alsoRead: (tree) => {
          inline = fitsInline(tree);
          return filesWith(tree, (row) => (inline ? !isInline(row) : !isPacked(row) && !isInline(row)));
        },
      });
      if (!captured) return undefined;
      reportSkipped(this.#context, captured.skipped, this.#reported);
      if (isSameState(before, captured.tree, table)) {
        captured.tree.takeContents(before);
        this.#published = compacted({ ...published, tree: captured.tree });
        return undefined;
      }
      await this.#keeper.probe(signal);
      const facts = this.#facts(captured, startedAt);
      const held = inline && fitsInline(captured.tree) ? writer.takeAll() : undefined;
      inline = held !== undefined;
      const written = held
        ? await this.#inHead(facts, captured.tree, published, held)
        : await this.#inPacks(facts, captured.tree, published, writer, signal);
      const next = await nextHead(this.#context, head, { ...written, keep: this.#options.keep }, signal);
      // Head last: a crash before this leaves the old snapshot valid.
      await this.#keeper.move(next, signal);
      this.#settle(written.published);
      if (this.#options.exportTarGz) await this.#export(signal);
      const { sequence, generation, createdAt: at, files, bytes, consistent } = written.record;
      const uploadedBytes = writer.uploadedBytes + written.bytes + encodeHead(next).length;
      const { frozenMs } = captured;
      return { sequence, generation, at, files, bytes, consistent, uploadedBytes, frozenMs };
    } finally {
      await writer.settle();
    }
  }

  async #inHead(
    facts: SnapshotFacts,
    tree: Tree,
    { table }: Published,
    held: ReadonlyMap<number, Buffer>,
  ): Promise<Written> {
    const { record, blobs } = await inlineSnapshot(facts, { tree, table }, held);
    return { record, blobs, published: { tree, table, segments: [] }, bytes: 0 };
  }

  async #inPacks(
    facts: SnapshotFacts,
    tree: Tree,
    { table }: Published,
    writer: PackWriter,
    signal: AbortSignal,
  ): Promise<Written> {
    packInline(this.#context, { tree, table }, this.#keeper.head.blobs, writer);
    const written = await writeSnapshot(this.#context, facts, { tree, table }, writer, signal);
    return { ...written, blobs: {}, bytes: written.manifestBytes };
  }

  /** What had not changed for a tick when the publish began is in the snapshot as it was (`agreedAt`). */
  #facts({ tree, consistent }: Capture, startedAt: number): SnapshotFacts {
    return {
      sequence: this.#keeper.head.sequence + 1,
      generation: this.#claim.generation,
      createdAt: new Date(startedAt).toISOString(),
      ...tree.totals(),
      consistent,
    };
  }

  #settle(published: Published): void {
    this.#published = compacted(published);
    this.#failedAt = undefined;
    this.#keepMarker();
  }

  #keepMarker(): void {
    try {
      keepMarker(this.#root, this.#marker);
    } catch (error) {
      if (this.#reported.has(MARKER_PATH)) return;
      this.#reported.add(MARKER_PATH);
      const { message, hint } = asRuntimeError(error);
      const what = 'a restart of this container would not know its local state for its own';
      this.#context.warn(what, { reason: message, hint });
    }
  }

  /** For others' sake; the snapshot itself is safe, so a failure is a warning. */
  async #export(signal: AbortSignal): Promise<void> {
    const { publishExport } = await import('../parts/archives.ts');
    await publishExport(this.#context, signal).catch((error: unknown) => {
      const { message, hint } = asRuntimeError(error);
      this.#context.warn('state.tar.gz could not be brought up to date', { reason: message, hint });
    });
  }

  #base(signal: AbortSignal): Promise<Published> {
    const from = { generation: this.#claim.generation, sequence: this.#marker.sequence };
    return loadBase(this.#context, this.#keeper.head, from, signal);
  }

  #dropOldOrphans(now: number): void {
    if (this.#failedAt === undefined || !this.#published || now - this.#failedAt < ORPHANS_MS) return;
    this.#published = compacted(this.#published);
    this.#failedAt = undefined;
  }
}

function filesWith(tree: Tree, matches: (row: number) => boolean): number[] {
  const found: number[] = [];
  for (let i = 0; i < tree.length; i++)
    if (tree.blobs(i).some((row) => row >= 0 && matches(row))) found.push(i);
  return found;
}
