import { watch } from '../../base/parts/chokidar.ts';

export interface Hints {
  /** Resolves when something may have changed, after `ms` milliseconds at the latest, and when the signal is aborted. */
  next(ms: number): Promise<void>;
}

/** What is written in several steps is reported once. */
const BURST_MS = 50;
/** A folder that takes longer is listed all the same. */
const READY_MS = 5_000;

/** Tells that something below `path` may have changed. Where the system cannot watch, nothing is told. */
export async function directoryHints(path: string, signal: AbortSignal): Promise<Hints> {
  let told = false;
  let wake: (() => void) | undefined;
  const watcher = watch(path, {
    ignoreInitial: true,
    depth: 3,
    ignored: /\/(\.git|\.runtime|node_modules|__pycache__)(\/|$)/,
  });
  watcher.on('all', () => {
    told = true;
    wake?.();
  });
  watcher.on('error', () => undefined);
  // First watched, then listed: what changes in between is told.
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, READY_MS);
    watcher.once('ready', () => {
      clearTimeout(late);
      resolve();
    });
  });
  signal.addEventListener(
    'abort',
    () => {
      wake?.();
      void watcher.close();
    },
    { once: true },
  );
  return {
    next: (ms) =>
      new Promise((resolve) => {
        const end = (pause: number) => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            wake = undefined;
            told = false;
            resolve();
          }, pause);
        };
        let timer = setTimeout(() => end(0), ms);
        wake = () => {
          wake = undefined;
          end(signal.aborted ? 0 : BURST_MS);
        };
        if (told || signal.aborted) wake();
      }),
  };
}
