import { closeSync } from 'node:fs';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import type { Claim } from '../claim/claim.ts';
import { HeadKeeper } from '../claim/headKeeper.ts';
import { PUT_BACK } from '../claim/putBack.ts';
import { keepMarker } from '../claim/tree/keepMarker.ts';
import type { Marker } from '../claim/tree/marker.ts';
import type { StateContext } from '../format/context.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { pinRoot, type TreeRoot } from '../local/treeRoot.ts';
import { loadBase } from './loadBase.ts';
import { compacted, type Published } from './published.ts';
import type { Publisher, PublisherOptions, PublishOptions } from './publisher.ts';
import { type PublishSession, publishOnce } from './publishOnce.ts';
import type { PublishReport } from './publishReport.ts';
import { NOT_CONFIRMED, Uploads } from './uploads.ts';

/**
 * Uploads of failed publishes are taken up by the next one, up to this age: half of what pruning waits before it
 * removes what no manifest names.
 */
const ORPHANS_MS = 12 * 60 * 60 * 1000;

/** Publishes one directory, again and again, remembering what the store already has. */
export class DirectoryPublisher implements Publisher {
  readonly #session: PublishSession;
  /** Keeps the directory's inode number from being given to another one that takes its place. */
  #pin: number | undefined;
  readonly #marker: Marker;
  #published: Published | undefined;
  #failedAt: number | undefined;

  constructor(
    context: StateContext,
    claim: Claim,
    options: PublisherOptions,
    root: TreeRoot,
    marker: Marker,
  ) {
    this.#pin = pinRoot(root);
    this.#marker = marker;
    this.#session = {
      context: { ...context, uploads: new Uploads(context) },
      claim,
      options,
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
    this.#keepMarker();
    return this.#published !== undefined;
  }

  publish(options: PublishOptions): Promise<PublishReport | undefined> {
    return this.#onHead(() => this.#publish(options));
  }

  /** Once more from the beginning, where the head was gone and has been put back: nothing that it does not name counts. */
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
    await keeper.settle(options.signal);
    this.#published ??= await this.#base(options.signal);
    try {
      const { published, report } = await publishOnce(this.#session, this.#published, options);
      this.#published = published;
      if (!report) return undefined;
      this.#failedAt = undefined;
      this.#keepMarker();
      return report;
    } catch (error) {
      this.#failedAt ??= startedAt;
      this.#forgetAfter(error);
      throw error;
    }
  }

  /**
   * The head has moved, or may have: what we remember may no longer be what was published last, and what it alone refers to may
   * be pruned. Or the store does not have what we remember to have put there.
   */
  #forgetAfter(error: unknown): void {
    const { context, keeper } = this.#session;
    const isNotThere = isRuntimeError(error) && error.op === NOT_CONFIRMED;
    if (isNotThere) context.uploads.forget();
    if (isNotThere || isRuntimeError(error, 'conflict') || keeper.isUncertain) this.#published = undefined;
  }

  #keepMarker(): void {
    const { context, root, reported } = this.#session;
    try {
      keepMarker(root, this.#marker);
    } catch (error) {
      // Told of once, as one of the paths that cannot be saved.
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
