import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../../../src/base/clock.ts';
import { type Claim, claim } from '../../../../../src/bot/state/claim/claim.ts';
import type { StateContext } from '../../../../../src/bot/state/format/context.ts';
import type { Restored, RestoreOptions } from '../../../../../src/bot/state/local/restoreReport.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import type { Publisher, PublisherOptions } from '../../../../../src/bot/state/publish/publisher.ts';
import { restore } from '../../../../../src/bot/state/restore/restore.ts';
import { openFileStore } from '../../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';

export const signal = new AbortController().signal;

export interface Instance {
  readonly claim: Claim;
  readonly report: Restored;
  readonly publisher: Publisher;
  readonly dir: string;
}

export interface StartOptions {
  readonly store?: ObjectStore;
  readonly publisher?: Partial<PublisherOptions>;
  readonly restore?: Partial<RestoreOptions>;
}

/** A bot with a store of its own: `start` does what a container's start does. Removed by `await using`. */
export class TestBot {
  readonly name: string;
  readonly warnings: string[] = [];
  clock: Clock = systemClock;
  readonly path: string;
  readonly store: ObjectStore;
  #instances = 0;
  readonly #publishers: Publisher[] = [];

  private constructor(name: string, path: string, store: ObjectStore) {
    this.name = name;
    this.path = path;
    this.store = store;
  }

  static async open(
    store?: (path: string) => ObjectStore,
    name = 'bot-1',
    under = tmpdir(),
  ): Promise<TestBot> {
    const path = await mkdtemp(join(under, 'state-'));
    return new TestBot(name, path, store?.(path) ?? openFileStore(join(path, 'store'), 'bot-state'));
  }

  /** One that waits for nothing: a further look at what is damaged comes at once. Not where time matters to what is saved. */
  static async openHasty(...options: Parameters<typeof TestBot.open>): Promise<TestBot> {
    const bot = await TestBot.open(...options);
    bot.clock = { ...systemClock, sleep: (_, signal) => systemClock.sleep(0, signal) };
    return bot;
  }

  context(store = this.store): StateContext {
    const warn = (message: string) => void this.warnings.push(message);
    return { store, bot: this.name, clock: this.clock, warn };
  }

  dir(name: string): string {
    return join(this.path, name);
  }

  object(key: string): string {
    return join(this.path, 'store', 'bot-state', this.name, key);
  }

  async start(dirName: string, options: StartOptions = {}): Promise<Instance> {
    const context = this.context(options.store);
    const dir = this.dir(dirName);
    const limits = { maxBytes: 1e12, maxFileBytes: undefined };
    const taken = await claim(context, { holder: `holder-${++this.#instances}`, dir, signal });
    const report = await restore(context, taken, {
      dir,
      owner: undefined,
      ...limits,
      signal,
      ...options.restore,
    });
    // A look at what is being written waits for its writer.
    const publisher = openPublisher({ ...context, clock: systemClock }, taken, {
      dir,
      limits,
      keep: 5,
      freezer: undefined,
      ...options.publisher,
    });
    this.#publishers.push(publisher);
    return { claim: taken, report, publisher, dir };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.#publishers) publisher.close();
    this.store.close();
    await rm(this.path, { recursive: true, force: true });
  }
}
