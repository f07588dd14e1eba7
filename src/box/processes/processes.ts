import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../base/clock.ts';
import { type Family, killFamily, signalFamily } from '../commands/family.ts';
import type { ShellWords } from '../commands/shellWords.ts';
import type { Output } from '../commands/startCommand.ts';
import type { Starter, StartOptions } from '../commands/starter.ts';
import { BoxError } from '../http/boxError.ts';
import { forgetOldest } from '../output/forgetOldest.ts';
import type { LogSpace } from '../output/logSpace.ts';
import { OutputLog } from '../output/outputLog.ts';
import { textPieces } from '../output/textPieces.ts';

/** So many run at a time; of so many that have ended is known how. */
const MOST_RUNNING = 256;
const MOST_ENDED = 256;
/** What is left of a process that was told to end gets so long after its first process. */
const GRACE_MS = 1000;
/** Those that end a process where it does not say otherwise. */
const ENDING: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGKILL', 'SIGABRT']);

export interface ProcessView {
  readonly pid: number;
  readonly command: string;
  readonly cwd: string;
  readonly running: boolean;
  /** Null while it runs, and where a signal has ended it. */
  readonly exitCode: number | null;
  readonly exitSignal?: NodeJS.Signals;
  /** `timeout`: it had no more time. */
  readonly reason?: 'timeout';
  /** RFC 3339. */
  readonly startedAt: string;
  readonly exitedAt?: string;
}

export interface SpawnOptions extends Omit<StartOptions, 'onOutput' | 'words'> {
  /** Asked once it is known that there is room: they may hold a descriptor. */
  readonly words: () => ShellWords;
  /** As it is shown. */
  readonly command: string;
  readonly timeoutMs: number | undefined;
}

interface Kept {
  view: ProcessView;
  readonly family: Family;
  readonly log: OutputLog;
  readonly ended: Promise<unknown>;
}

export interface ProcessesOptions {
  readonly starter: Starter;
  readonly clock: Clock;
  /** Where logs lie. */
  readonly folder: string;
  readonly space: LogSpace;
}

/** Processes that clients start and come back to: how they are, and all that they have printed. */
export class Processes {
  readonly #options: ProcessesOptions;
  readonly #folder: string;
  /** By their pid, in the order of their start. */
  readonly #all = new Map<number, Kept>();
  #starting = 0;
  #count = 0;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(options.folder, '.runtime-processes-'));
  }

  async spawn(options: SpawnOptions): Promise<ProcessView> {
    const running = [...this.#all.values()].filter(({ view }) => view.running).length + this.#starting;
    if (running >= MOST_RUNNING) {
      const facts = { quotaType: 'processes', current: running, limit: MOST_RUNNING, retryAfter: 1 };
      throw new BoxError(429, 'QUOTA_EXCEEDED', `${running} processes run, which is as many as may`, facts);
    }
    this.#starting += 1;
    try {
      return await this.#start(options);
    } finally {
      this.#starting -= 1;
    }
  }

  list(): readonly ProcessView[] {
    return [...this.#all.values()].map(({ view }) => view);
  }

  /** Throws `BoxError` 404. */
  get(pid: number): ProcessView {
    return this.#find(pid).view;
  }

  log(pid: number): OutputLog {
    return this.#find(pid).log;
  }

  /** To it and all that it has started. Where the signal ends it, nothing of it outlives it for long. */
  signal(pid: number, signal: NodeJS.Signals): ProcessView {
    const kept = this.#find(pid);
    if (!kept.view.running) return kept.view;
    signalFamily(kept.family, signal);
    if (ENDING.has(signal)) void this.#endRest(kept);
    return kept.view;
  }

  close(): void {
    for (const { log } of this.#all.values()) log.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start({ command, timeoutMs, words, ...options }: SpawnOptions): Promise<ProcessView> {
    const { starter, clock, space } = this.#options;
    const startedAt = clock.now();
    const log = new OutputLog(join(this.#folder, String(++this.#count)), space);
    const writer = outputWriter(log, clock);
    const child = await starter
      .start({ ...options, words: words(), onOutput: writer.write })
      .catch((error: unknown) => {
        log.remove();
        throw error;
      });
    const pid = child.leader;
    const over = new AbortController();
    const ended = child.ended.then(({ code, signal }) => {
      over.abort();
      writer.flush();
      const exitedAt = clock.now();
      const how = { exitCode: code, ...(signal && { exitSignal: signal }) };
      kept.view = { ...kept.view, ...how, running: false, exitedAt: new Date(exitedAt).toISOString() };
      log.finish('exit', {
        pid,
        ...how,
        ...(kept.view.reason && { reason: kept.view.reason }),
        timestamp: exitedAt,
      });
      forgetOldest(this.#all, MOST_ENDED);
    });
    const kept: Kept = {
      view: {
        pid,
        command,
        cwd: options.cwd,
        running: true,
        exitCode: null,
        startedAt: new Date(startedAt).toISOString(),
      },
      family: child,
      log,
      ended,
    };
    // The system gives a number to another one once the one that had it has ended.
    this.#all.get(pid)?.log.remove();
    this.#all.delete(pid);
    this.#all.set(pid, kept);
    if (timeoutMs !== undefined) {
      clock.sleep(timeoutMs, over.signal).then(
        () => {
          kept.view = { ...kept.view, reason: 'timeout' };
          return killFamily(child, clock);
        },
        () => undefined,
      );
    }
    return kept.view;
  }

  async #endRest({ family, ended }: Kept): Promise<void> {
    const { clock } = this.#options;
    await ended;
    await clock.sleep(GRACE_MS);
    await killFamily(family, clock);
  }

  #find(pid: number): Kept {
    const kept = this.#all.get(pid);
    if (kept) return kept;
    throw new BoxError(404, 'NOT_FOUND', `there is no process ${pid}`, {
      resourceType: 'process',
      resourceId: String(pid),
    });
  }
}

/** Events of limited length, none of them with a character cut in two. */
function outputWriter(log: OutputLog, { now }: Pick<Clock, 'now'>) {
  const decoders: Record<Output, StringDecoder> = {
    stdout: new StringDecoder(),
    stderr: new StringDecoder(),
  };
  const add = (output: Output, text: string) => {
    for (const data of textPieces(text)) log.append(output, { data, timestamp: now() }, data.length);
  };
  return {
    write: (output: Output, bytes: Buffer) => add(output, decoders[output].write(bytes)),
    flush: () => {
      for (const output of ['stdout', 'stderr'] as const) add(output, decoders[output].end());
    },
  };
}
