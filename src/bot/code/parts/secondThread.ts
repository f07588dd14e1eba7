import { Worker } from 'node:worker_threads';
import type { SecondThread } from '../twoThreads.ts';
import program from '../unpackThread.cjs' with { type: 'text' };

export function startSecondThread(archive: SharedArrayBuffer): SecondThread {
  /** Answers come in the order of the jobs. */
  const waiting: ((isWritten: boolean) => void)[] = [];
  let isGone = false;
  const worker = new Worker(program, {
    eval: true,
    workerData: { archive },
    // The thread gets nothing of this process's environment.
    env: {},
    execArgv: [],
    // It makes next to nothing.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  worker.on('message', (isWritten: boolean) => waiting.shift()!(isWritten));
  // Where it could not be started, or has died: then the first thread writes everything.
  worker.on('error', () => {});
  worker.on('exit', () => {
    isGone = true;
    for (const answer of waiting.splice(0)) answer(false);
  });
  return {
    get isFree() {
      return !isGone && waiting.length < 2;
    },
    write: (jobs) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(jobs);
      }),
    close: async () => void (await worker.terminate()),
  };
}
