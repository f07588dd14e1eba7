import type { Writable } from 'node:stream';
import type { Answered } from '../../../bot/answers/answer.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import { aborted } from '../http/aborted.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { runQuery } from './runQuery.ts';

export interface PerQueryOptions {
  readonly launch: () => Promise<ProgramLaunch>;
  readonly resultDir: string;
  readonly output?: Writable;
  /** The running program's pid, and undefined when it has ended. */
  readonly onProgram?: (pid: number | undefined) => void;
}

export interface OneQuery {
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/**
 * Runs the program once for each query, one at a time: the SDKs write every answer to the same file. Waiting for the
 * others counts towards the query's own time, so nobody is run whose client is told 504 anyway.
 */
export class PerQuery {
  readonly #options: PerQueryOptions;
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PerQueryOptions) {
    this.#options = options;
  }

  async answer(query: OneQuery): Promise<Answered> {
    const turn = this.#last.then(() => this.#run(query));
    this.#last = turn.catch(() => undefined);
    return Promise.race([turn, aborted(query.signal)]);
  }

  /** Ends the program that runs, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stop.abort(new QueryError(503, 'unavailable', 'the query server stops'));
    await this.#last;
  }

  async #run({ path, params, ...query }: OneQuery): Promise<Answered> {
    const signal = AbortSignal.any([query.signal, this.#stop.signal]);
    signal.throwIfAborted();
    const { launch, resultDir, output, onProgram } = this.#options;
    const result = await runQuery({
      launch: await launch(),
      path,
      params,
      resultDir,
      signal,
      ...(output && { output }),
      ...(onProgram && { onProgram }),
    });
    if ('failure' in result) throw new QueryError(500, 'error', result.failure);
    const outcome = result.answer.status;
    return { status: outcome === 'ok' ? 200 : 500, body: result.bytes, outcome };
  }
}
