import { rmSync } from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { SecondThread } from '../twoThreads.ts';
import program from '../unpackThread.cjs' with { type: 'text' };

/** Jobs that a thread takes at a time: a few milliseconds. */
const BATCH = 16;

export function startSecondThread(archive: SharedArrayBuffer): SecondThread {
  /** The next job that no thread has taken; where the other thread's batch begins, -1: it has none. */
  const shared = new Int32Array(new SharedArrayBuffer(8));
  shared[1] = -1;
  const worker = new Worker(program, {
    eval: true,
    workerData: { archive, shared: shared.buffer },
    // The thread gets nothing of this process's environment.
    env: {},
    execArgv: [],
  });
  const ended = endOf(worker);
  return {
    close: () => void worker.terminate(),
    share: async (jobs, doHere, signal) => {
      worker.postMessage({ jobs, batch: BATCH });
      for (;;) {
        const from = Atomics.add(shared, 0, BATCH);
        if (from >= jobs.length) break;
        for (const job of jobs.slice(from, from + BATCH)) doHere(job);
        await yieldToEvents();
        signal?.throwIfAborted();
      }
      await ended;
      const failed = Atomics.load(shared, 1);
      if (failed === -1) return;
      // Whatever has become of it there, here it says what is wrong, or there is nothing wrong.
      for (const job of jobs.slice(failed, failed + BATCH)) {
        rmSync(job.file, { force: true });
        doHere(job);
      }
    },
  };
}

/** Resolves when it has no more to do, or is gone, also where it could not be started: then this thread takes all jobs. */
function endOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.on('message', () => resolve());
    worker.on('error', () => resolve());
    worker.on('exit', () => resolve());
  });
}
