import type { Writable } from 'node:stream';
import { asRuntimeError } from '../../../base/errors.ts';
import { type Answer, excerpt, parseAnswer } from '../../../bot/answers/answer.ts';
import { parameterText } from '../../../bot/answers/parameters.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { spawnProgram } from '../program/spawnProgram.ts';
import { lockResult } from './lockResult.ts';
import { clearResult, makeResultDir, readResult } from './resultFile.ts';

/**
 * The room of one query by one process: the program is started with the query in its environment, leaves its answer in a file
 * (`resultFile`) and ends. Two use it:
 *
 *   ephemeral   a container that was made for one query; it reads the saved state (`queryState`), prints the answer and may upload it
 *   perQuery    a query server whose program ended without having listened: one run per query, one at a time
 *
 * One query at a time has that file (`lockResult`): outside of containers all runtimes of a machine share it.
 *
 * Where no result file can be made, the program is started as a server and asked once (`askAsServer`).
 */

export interface RunQueryOptions {
  readonly launch: ProgramLaunch;
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** `/query`: where the SDKs put `result.json`. */
  readonly resultDir: string;
  readonly output?: Writable;
  /** Ends the program at once. */
  readonly signal: AbortSignal;
  /** The program's pid, and undefined when it has ended. */
  readonly onProgram?: (pid: number | undefined) => void;
}

export type QueryResult =
  | { readonly answer: Answer; readonly bytes: Buffer }
  /** There is no answer; in words. */
  | { readonly failure: string };

/** Runs the program for one query and reads what it left in the result file. Throws the signal's reason only. */
export async function runQuery(options: RunQueryOptions): Promise<QueryResult> {
  const { launch, path, params, resultDir, output, signal, onProgram } = options;
  try {
    await makeResultDir(resultDir, launch.user);
  } catch (error) {
    return unprepared(error);
  }
  await using _ = await lockResult(resultDir, signal);
  try {
    await clearResult(resultDir);
  } catch (error) {
    return unprepared(error);
  }
  signal.throwIfAborted();
  const program = spawnProgram(launch, queryEnvironment(path, params), output);
  onProgram?.(program.pid);
  const end = () => void program.end(0);
  signal.addEventListener('abort', end);
  const exit = await program.exited;
  signal.removeEventListener('abort', end);
  onProgram?.(undefined);
  signal.throwIfAborted();
  return judge(await readResult(resultDir), exit);
}

function unprepared(error: unknown): QueryResult {
  return { failure: `the result file cannot be prepared: ${asRuntimeError(error).message}` };
}

function judge(bytes: Buffer | string, exit: { readonly ok: boolean; readonly reason: string }): QueryResult {
  if (typeof bytes === 'string') return { failure: `the query program ${exit.reason}; ${bytes}` };
  const answer = parseAnswer(bytes);
  if (answer === undefined) {
    return { failure: `the query program left ${excerpt(bytes)}, which is not an answer object` };
  }
  // The SDKs exit with 1 after an error; after an answer it is a crash.
  if (answer.status === 'ok' && !exit.ok) return { failure: `the query program ${exit.reason}` };
  return { answer, bytes };
}

/** Names and values that an environment cannot hold are left to `QUERY_PARAMS`. */
export function queryEnvironment(
  path: string,
  params: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const flat = Object.entries(params)
    .map(([name, value]) => [`QUERY_PARAM_${name}`, parameterText(value)] as const)
    .filter(([name, value]) => !/[=\0]/.test(name) && !value.includes('\0'));
  return { ...Object.fromEntries(flat), QUERY_PATH: path, QUERY_PARAMS: JSON.stringify(params) };
}
