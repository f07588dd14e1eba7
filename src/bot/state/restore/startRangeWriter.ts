import { Worker } from 'node:worker_threads';
import type { Owner } from '../../../base/owner.ts';
import type { RangeWriter } from './rangeWriter.ts';
import program from './writeRange.cjs' with { type: 'text' };

/** `owner`: whom the files are given to. */
export function startRangeWriter(owner: Owner | undefined): RangeWriter {
  /** Answers come in the order of the jobs. */
  const waiting: ((isWritten: boolean) => void)[] = [];
  let isGone = false;
  const worker = new Worker(program, {
    eval: true,
    workerData: { owner },
    // Nothing of ours is its business.
    env: {},
    execArgv: [],
    // It makes little but buffers, which lie elsewhere.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  worker.on('message', (isWritten: boolean) => waiting.shift()!(isWritten));
  // Where it could not be started, or has died: then others write everything.
  worker.on('error', () => {});
  worker.on('exit', () => {
    isGone = true;
    for (const answer of waiting.splice(0)) answer(false);
  });
  return {
    get isGone() {
      return isGone;
    },
    get waiting() {
      return waiting.length;
    },
    write: (job) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(job);
      }),
    close: async () => void (await worker.terminate()),
  };
}
