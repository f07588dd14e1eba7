import { Worker } from 'node:worker_threads';

/** A thread that does jobs in order, each with side effects only. */
export interface JobThread<Job> {
  /** It has ended, or could not be started. */
  readonly isGone: boolean;
  /** Jobs that are not done yet. */
  readonly waiting: number;
  /** Whether the job is done; where not, some of it may be. Never rejects. */
  run(job: Job): Promise<boolean>;
  /** Nothing is done any more when this resolves. */
  close(): Promise<void>;
}

/** `program`: CommonJS as text, which answers each message with whether it is done. It makes little but buffers, which lie outside its heap. */
export function startJobThread<Job>(program: string, workerData: unknown): JobThread<Job> {
  /** Answers come in the order of the jobs. */
  const waiting: ((isDone: boolean) => void)[] = [];
  let isGone = false;
  const worker = startWorker(program, workerData);
  // Then others do everything.
  if (!worker) return { isGone: true, waiting: 0, run: async () => false, close: async () => undefined };
  worker.on('message', (isDone: boolean) => waiting.shift()!(isDone));
  // The same where it has died.
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
    run: (job) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(job);
      }),
    close: async () => void (await worker.terminate()),
  };
}

/** Undefined where it cannot be started: Node throws that at once where there may be no more processes and threads. */
function startWorker(program: string, workerData: unknown): Worker | undefined {
  try {
    return new Worker(program, {
      eval: true,
      workerData,
      // Nothing of ours is its business.
      env: {},
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
  } catch {
    return undefined;
  }
}
