import { closeSync } from 'node:fs';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import { hasPassed } from '../../../base/hasPassed.ts';
import type { Claim } from '../claim/claim.ts';
import { HeadKeeper } from '../claim/headKeeper.ts';
import { PUT_BACK } from '../claim/putBack.ts';
import { keepMarker } from '../claim/tree/keepMarker.ts';
import type { Marker } from '../claim/tree/marker.ts';
import type { StateContext } from '../format/context.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { restoredBy } from '../local/restoredBy.ts';
import { pinRoot, type TreeRoot } from '../local/treeRoot.ts';
import { findUnstamped, suspects } from './findUnstamped.ts';
import { loadBase } from './loadBase.ts';
import { compacted, type Published, publishedFrom } from './published.ts';
import type { Publisher, PublisherOptions, PublishOptions } from './publisher.ts';
import { type PublishSession, publishOnce } from './publishOnce.ts';
import type { PublishReport } from './publishReport.ts';
import { NOT_CONFIRMED, Uploads } from './uploads.ts';

/**
 * The next publish uses uploads of failed ones up to this age. It is half of the age from which pruning removes what no manifest names.
 */
const ORPHANS_MS = 12 * 60 * 60 * 1000;

/** How often a publish also reads files that may have changed without a time stamp, milliseconds. */
const UNSTAMPED_EACH_MS = 30_000;

/** Publishes one directory, again and again, remembering what the store already has. */
export class DirectoryPublisher implements Publisher {
  readonly #session: PublishSession;
  /** Keeps the directory's inode number from being given to another one that takes its place. */
  #pin: number | undefined;
  readonly #marker: Marker;
  #published: Published | undefined;
  #failedAt: number | undefined;
  /** When the last look at what the time stamps do not show began, milliseconds. */
  #lookedAt: number;

  constructor(
    context: StateContext,
    claim: Claim,
    options: PublisherOptions,
    root: TreeRoot,
    marker: Marker,
  ) {
    this.#pin = pinRoot(root);
    this.#marker = marker;
    this.#lookedAt = context.clock.now();
    const { restored, ...rest } = options;
    if (restored?.record.sequence === marker.sequence) this.#published = publishedFrom(restored);
    this.#session = {
      context: { ...context, uploads: new Uploads(context) },
      claim,
      options: rest,
      root,
      keeper: new HeadKeeper(context, claim),
      restoredAt: marker.restoredAt,
      reported: new Set(),
    };
  }

  prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { keeper } = this.#session;
    return this.#onHead(async () => {
      await keeper.settle(signal);
      this.#published ??= await this.#base(signal);
      await keeper.probe(signal);
    });
  }

  close(): void {
    if (this.#pin !== undefined) closeSync(this.#pin);
    this.#pin = undefined;
  }

  async checkGeneration({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    await this.#onHead(() => this.#session.keeper.check(signal));
    this.keepMarker();
    return this.#published !== undefined;
  }

  publish(options: PublishOptions): Promise<PublishReport | undefined> {
    return this.#onHead(() => this.#publish(options));
  }

  /** Publishes once more from the beginning after a lost head was put back: objects that the new head does not name do not count. */
  async #onHead<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isRuntimeError(error) || error.op !== PUT_BACK) throw error;
      this.#published = undefined;
      this.#session.context.uploads.forget();
      return await work();
    }
  }

  async #publish(options: PublishOptions): Promise<PublishReport | undefined> {
    const { context, keeper } = this.#session;
    const startedAt = context.clock.now();
    this.#dropOldOrphans(startedAt);
    // First: where the store is away, all that is not saved yet depends on it.
    this.keepMarker();
    await keeper.settle(options.signal);
    this.#published ??= await this.#base(options.signal);
    try {
      const report = await this.#publishAll(this.#published, options);
      if (!report) return undefined;
      this.#failedAt = undefined;
      this.keepMarker();
      return report;
    } catch (error) {
      this.#failedAt ??= startedAt;
      this.#forgetAfter(error);
      throw error;
    }
  }

  /** What the stamps show comes first: it must not wait for the reading of what they do not show. */
  async #publishAll(before: Published, options: PublishOptions): Promise<PublishReport | undefined> {
    const { context, root } = this.#session;
    const { still = false, complete = still, signal } = options;
    const now = context.clock.now();
    const restoredAt = restoredBy(this.#session.restoredAt, now);
    const isDue = complete || hasPassed(this.#lookedAt, UNSTAMPED_EACH_MS, now);
    const lookedAt = Math.min(this.#lookedAt, now);
    const suspected = isDue ? suspects(root, before.tree, { restoredAt, lookedAt }) : undefined;
    const { published, report } = await publishOnce(this.#session, before, options);
    this.#published = published;
    if (!suspected) return report;
    const found = await findUnstamped(root, published, suspected, signal);
    this.#lookedAt = now;
    if (found.length === 0) return report;
    for (const index of found) published.tree.doubt(index);
    const again = await publishOnce(this.#session, published, options);
    this.#published = again.published;
    return again.report ?? report;
  }

  /**
   * Forgets what was published last. Either the head has moved, or may have: the remembered snapshot may no longer be the newest, and its
   * objects may be pruned. Or the store does not have objects that were put there.
   */
  #forgetAfter(error: unknown): void {
    const { context, keeper } = this.#session;
    const isNotThere = isRuntimeError(error) && error.op === NOT_CONFIRMED;
    if (isNotThere) context.uploads.forget();
    if (isNotThere || isRuntimeError(error, 'conflict') || keeper.isUncertain) this.#published = undefined;
  }

  keepMarker(): void {
    const { context, root, reported } = this.#session;
    try {
      keepMarker(root, this.#marker);
    } catch (error) {
      // The warning comes once, as for every path that cannot be saved.
      if (reported.has(RESERVED_NAME)) return;
      reported.add(RESERVED_NAME);
      const { message, hint } = asRuntimeError(error);
      const what = 'a restart of this container would not recognise its local state';
      context.warn(what, { reason: message, hint });
    }
  }

  #base(signal: AbortSignal): Promise<Published> {
    const { context, claim, keeper } = this.#session;
    const from = { generation: claim.generation, sequence: this.#marker.sequence };
    return loadBase(context, keeper.head, from, signal);
  }

  #dropOldOrphans(now: number): void {
    if (this.#failedAt === undefined || !this.#published || now - this.#failedAt < ORPHANS_MS) return;
    this.#published = compacted(this.#published);
    this.#failedAt = undefined;
  }
}
