import { rmSync } from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { SecondThread, ZipJob } from './twoThreads.ts';

/** Files that a thread takes at a time: a millisecond. */
const BATCH = 16;
/** One that it works on, and one to go on with. */
const AT_ONCE = 2;

interface Shared<Entry> {
  readonly job: ZipJob;
  readonly entry: Entry;
}

export interface SharedFiles<Entry> {
  /** Has it written by either thread; throws what `writeHere` throws, also of an earlier one. */
  add(job: ZipJob, entry: Entry): Promise<void> | undefined;
  /** All are written. */
  end(): Promise<void>;
  /** Nothing more is done here. */
  stop(): void;
}

/** Has files written by the other thread while it has less to do than it could, and else by this one. */
export function shareFiles<Entry>(
  second: SecondThread,
  writeHere: (job: ZipJob, entry: Entry) => void,
): SharedFiles<Entry> {
  let batch: Shared<Entry>[] = [];
  const elsewhere: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  let isStopped = false;

  const writeThere = async (files: readonly Shared<Entry>[]) => {
    if ((await second.run(files.map(({ job }) => job))) || isStopped) return;
    try {
      // Whatever has become of it there, here it says what is wrong, or there is nothing wrong.
      for (const { job, entry } of files) {
        rmSync(job.file, { force: true });
        writeHere(job, entry);
      }
    } catch (error) {
      failure ??= { error };
    }
  };
  const next = async () => {
    if (failure) throw failure.error;
    const files = batch;
    batch = [];
    if (!second.isGone && second.waiting < AT_ONCE) {
      elsewhere.push(writeThere(files));
      return;
    }
    for (const { job, entry } of files) writeHere(job, entry);
    await yieldToEvents();
  };

  return {
    add(job, entry) {
      batch.push({ job, entry });
      return batch.length < BATCH ? undefined : next();
    },
    async end() {
      await next();
      await Promise.all(elsewhere);
      if (failure) throw failure.error;
    },
    stop() {
      isStopped = true;
    },
  };
}
