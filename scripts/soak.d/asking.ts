import { setTimeout as sleep } from 'node:timers/promises';

export interface Asking {
  /** Queries that were answered. */
  readonly answered: number;
  readonly failed: number;
  /** Resolves with the first answer. */
  readonly first: Promise<void>;
  /** Answers that were not the bot's, in words. */
  readonly wrong: readonly string[];
  stop(): Promise<void>;
}

/** Asks the bot again and again. While its query server is down nobody answers; what answers must be the bot. */
export function startAsking(port: number): Asking {
  const stopped = new AbortController();
  const wrong: string[] = [];
  let answered = 0;
  let failed = 0;
  const first = Promise.withResolvers<void>();
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/count`, { signal: AbortSignal.timeout(5000) }).catch(
      () => undefined,
    );
    if (answer?.status !== 200) {
      failed += 1;
      await answer?.body?.cancel();
      return;
    }
    const text = await answer.text().catch(() => '');
    if (/^\{"status":"ok","data":\d+\}$/.test(text)) {
      answered += 1;
      first.resolve();
    } else if (text !== '') wrong.push(`a query was answered with ${text}`);
  };
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await ask();
      await sleep(200, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    get answered() {
      return answered;
    },
    get failed() {
      return failed;
    },
    first: first.promise,
    wrong,
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
