import type { Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import { MAX_ANSWER_BYTES } from '../../../bot/answers/answer.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import { freePort } from '../../process/freePort.ts';
import type { ProgramAnswer } from '../http/answerReader.ts';
import { findListener } from '../http/findListener.ts';
import { ProgramClient } from './programClient.ts';
import type { ProgramLaunch } from './programLaunch.ts';
import { type ProgramExit, type RunningProgram, spawnProgram } from './spawnProgram.ts';
import { WatchedClient } from './watchedClient.ts';

/**
 * The room of the query program: bot code that answers queries, kept alive beside the bot.
 *
 *   1. `prepareProgram`   what to run: the kind's launch, an environment without credentials, another user than the bot's
 *                         (`programUser`), the state read-only (`readonlyWrapper`), the code of the bot's container (`sharedCode`)
 *   2. `spawnProgram`     runs it in a process group of its own
 *   3. `queryProgram`     waits until it listens, and starts it again with backoff when it ends; one that ends well without having
 *                         listened is run once per query from then on
 *   4. `programClient`    asks it over a few kept connections
 *   5. `watchedClient`    notices when it hangs (`hangWatch`): it is then killed and started again
 */

const END_GRACE_MS = 1000;
/** A program that lived this long has not failed at its start: the next pause is a short one again. */
const STABLE_MS = 60_000;
const FIRST_POLL_MS = 10;
const LAST_POLL_MS = 500;

/** `per-query`: it exited without having listened, so it is run once for each query. */
export type ProgramState = 'starting' | 'listening' | 'down' | 'per-query' | 'stopped';

export interface QueryProgramOptions {
  /** Resolves when the code is there; asked again for every start. */
  readonly launch: () => Promise<ProgramLaunch>;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly output?: Writable;
  /** It died or was ended, and is started again after `pauseMs`. */
  readonly onRestart: (reason: string, pauseMs: number) => void;
  readonly onStart?: (pid: number | undefined) => void;
}

/** The query program as a server of its own on a private port: started, watched, started again, asked. */
export class QueryProgram {
  readonly #options: QueryProgramOptions;
  readonly #stop = new AbortController();
  #state: ProgramState = 'starting';
  #client: WatchedClient | undefined;
  #port = 0;
  #end = (_reason: string) => {};

  constructor(options: QueryProgramOptions) {
    this.#options = options;
  }

  get state(): ProgramState {
    return this.#state;
  }

  /** Resolves when the program is stopped, or has turned out to be one that is run per query. */
  async run(): Promise<void> {
    const { clock } = this.#options;
    for (let failures = 0, hasListened = false; !this.#stop.signal.aborted; ) {
      const startedAt = clock.elapsed();
      this.#state = 'starting';
      const exit = await this.#runOnce();
      hasListened ||= this.#client !== undefined;
      this.#client?.close();
      this.#client = undefined;
      if (this.#stop.signal.aborted) break;
      if (!hasListened && !exit.failedToStart && !exit.wasEnded) {
        this.#state = 'per-query';
        this.#options.log.info(`query program ${exit.reason} without listening: it is run once per query`);
        return;
      }
      this.#state = 'down';
      failures = clock.elapsed() - startedAt > STABLE_MS ? 0 : failures + 1;
      const pauseMs = restartPause(failures);
      this.#options.onRestart(exit.reason, pauseMs);
      await clock.sleep(pauseMs, this.#stop.signal).catch(() => undefined);
    }
    this.#state = 'stopped';
  }

  /** The program's answer. Throws `QueryError` 502 while no program listens, and what `ProgramClient` throws. */
  async ask(target: string, signal: AbortSignal): Promise<ProgramAnswer> {
    if (this.#client === undefined && this.#state === 'starting') await this.#probe();
    if (this.#client !== undefined) return this.#client.ask(target, signal);
    const why = this.#state === 'starting' ? 'does not listen yet' : 'is down and will be started again';
    throw new QueryError(502, 'unavailable', `the query program ${why}`, { 'retry-after': '1' });
  }

  /** Resolves when it is no longer starting, or when the signal is aborted; meanwhile it is looked at closely. */
  async started(signal: AbortSignal): Promise<void> {
    while (this.#state === 'starting' && !signal.aborted) {
      await this.#probe();
      if (this.#client === undefined)
        await this.#options.clock.sleep(FIRST_POLL_MS, signal).catch(() => undefined);
    }
  }

  /** Ends the program, which is then started again. The reason continues "query program …". */
  restart(reason: string): void {
    this.#end(reason);
  }

  stop(): void {
    this.#stop.abort(new Error('the query server stops'));
  }

  async #runOnce(): Promise<ProgramExit & { readonly wasEnded?: boolean }> {
    const { output, onStart } = this.#options;
    const launch = await this.#options.launch().catch(asRuntimeError);
    if (launch instanceof RuntimeError) return { reason: launch.message, ok: false, failedToStart: true };
    this.#port = await freePort();
    if (this.#stop.signal.aborted) return { reason: 'was stopped', ok: false, failedToStart: true };
    const env = { BOT_TYPE: 'realtime', THE0_QUERY_PORT: String(this.#port) };
    const program = spawnProgram(launch, env, output);
    onStart?.(program.pid);
    const end = () => void program.end(END_GRACE_MS);
    this.#stop.signal.addEventListener('abort', end);
    let endedFor: string | undefined;
    this.#end = (reason) => {
      endedFor = reason;
      end();
    };
    await this.#waitUntilListening(program);
    const exit = await program.exited;
    // Its process group's number may be another's from now on.
    this.#end = () => {};
    this.#stop.signal.removeEventListener('abort', end);
    onStart?.(undefined);
    return endedFor === undefined ? exit : { ...exit, reason: endedFor, wasEnded: true };
  }

  async #waitUntilListening(program: RunningProgram): Promise<void> {
    const ended = new AbortController();
    void program.exited.then(() => ended.abort());
    for (let pause = FIRST_POLL_MS; !ended.signal.aborted; pause = Math.min(2 * pause, LAST_POLL_MS)) {
      await this.#probe();
      if (this.#client !== undefined) return;
      await this.#options.clock.sleep(pause, ended.signal).catch(() => undefined);
    }
  }

  async #probe(): Promise<void> {
    const port = this.#port;
    if (port === 0) return;
    const host = await findListener(port);
    if (host === undefined || this.#client !== undefined || port !== this.#port || this.#state !== 'starting')
      return;
    const { clock, concurrency } = this.#options;
    this.#client = new WatchedClient({
      client: new ProgramClient({
        host,
        port,
        maxConnections: concurrency,
        maxAnswerBytes: MAX_ANSWER_BYTES,
      }),
      clock,
      onHung: () => this.#end('answered nothing, one time-out after the other'),
    });
    this.#state = 'listening';
  }
}

/** 100 ms, 200 ms, … 30 s. */
export function restartPause(failures: number): number {
  return growingWait({ firstMs: 100, longestMs: 30_000 }, failures);
}
