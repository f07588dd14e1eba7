import type { Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { type Answer, errorAnswer } from '../../../bot/answers/answer.ts';
import type { Config } from '../../../bot/config/config.ts';
import { RESULT_DIR } from '../program/prepareProgram.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { askAsServer } from './askAsServer.ts';
import { makeResultDir } from './resultFile.ts';
import { type QueryResult, runQuery } from './runQuery.ts';

export interface EphemeralOptions {
  readonly config: Config;
  /** Pulls what is needed and says how the program is started; what it throws is an answer, too. */
  readonly prepare: () => Promise<ProgramLaunch>;
  /** Puts the answer where `QUERY_RESULT_KEY` says; only called when that is set. */
  readonly upload: (key: string, answer: Buffer, signal: AbortSignal) => Promise<void>;
  /** The answer and nothing else. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly resultDir?: string;
  /** The program's pid, and undefined when it has ended. */
  readonly onProgram: (pid: number | undefined) => void;
}

/**
 * Answers one query and resolves with the exit code: 0 for `ok`. Whatever goes wrong is an answer, printed and, where
 * it can be, uploaded; a failed upload too, printed instead of the answer that is nowhere to be found.
 */
export async function runEphemeralQuery(options: EphemeralOptions): Promise<number> {
  const { config, upload, stdout, signal } = options;
  let { bytes, exitCode } = await answer(options);
  if (config.query.resultKey !== undefined) {
    // Whoever waits for the answer is also told that the query was stopped.
    const inTime = signal.aborted ? AbortSignal.timeout(config.stopTimeoutMs) : signal;
    try {
      await upload(config.query.resultKey, bytes, inTime);
    } catch (error) {
      ({ bytes, exitCode } = failed(stopOr(error, signal), 'the answer could not be uploaded: '));
    }
  }
  stdout.write(Buffer.concat([bytes, Buffer.from('\n')]));
  return exitCode;
}

interface Outcome {
  /** One line, without its end. */
  readonly bytes: Buffer;
  readonly exitCode: number;
}

async function answer(options: EphemeralOptions): Promise<Outcome> {
  try {
    const result = await run(options, await options.prepare());
    if ('failure' in result) return outcome(errorAnswer(result.failure), 1);
    return { bytes: oneLine(result.bytes), exitCode: result.answer.status === 'ok' ? 0 : 1 };
  } catch (error) {
    return failed(stopOr(error, options.signal));
  }
}

/** Once we are stopped, whatever fails fails because of that. */
function stopOr(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : error;
}

async function run(options: EphemeralOptions, launch: ProgramLaunch): Promise<QueryResult> {
  const { config, stderr, clock, signal, onProgram, resultDir = RESULT_DIR } = options;
  const { path = '/', params, timeoutMs } = config.query;
  const hasResultFile = await makeResultDir(resultDir, launch.user).then(
    () => true,
    () => false,
  );
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const stop = AbortSignal.any([signal, late.signal]);
  const query = { launch, path, params, output: stderr, signal: stop, onProgram };
  try {
    if (hasResultFile) return await runQuery({ ...query, resultDir });
    return await askAsServer({ ...query, clock });
  } catch (error) {
    if (signal.aborted) throw error;
    return { failure: `the query program gave ${(error as Error).message}` };
  } finally {
    clearTimeout(timer);
  }
}

function failed(error: unknown, prefix = ''): Outcome {
  const { message, exitCode } = asRuntimeError(error);
  return outcome(errorAnswer(`${prefix}${message}`), exitCode);
}

function outcome(answer: Answer, exitCode: number): Outcome {
  return { bytes: Buffer.from(JSON.stringify(answer)), exitCode };
}

/** The same JSON without line breaks: in JSON they only stand between tokens. */
function oneLine(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes
      .toString()
      .trim()
      .replace(/[\r\n]+/g, ' '),
  );
}
