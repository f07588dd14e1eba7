import type { Clock } from '../../base/clock.ts';
import { BoxError } from '../http/boxError.ts';
import { exitCodeOf } from './commandEnd.ts';
import { killFamily } from './family.ts';
import { Kept } from './kept.ts';
import type { Starter, StartOptions } from './starter.ts';

/** Of a command whose request names no time. Milliseconds. */
const DEFAULT_MS = 60 * 60 * 1000;

export interface ExecuteOptions extends Omit<StartOptions, 'onOutput'> {
  readonly starter: Starter;
  /** What is kept of the beginning and of the end of each output, bytes. */
  readonly keptBytes: number;
  readonly timeoutMs: number | undefined;
  readonly clock: Clock;
}

export interface Executed {
  /** `exitCodeOf` */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly signal?: NodeJS.Signals;
  /** How many bytes are left out of too much output. */
  readonly truncated?: { readonly stdout: number; readonly stderr: number };
}

/**
 * Runs a command to the end of its first process; what it has started in the background lives on. Past its time all of them are
 * ended, and a `BoxError` 408 says what there was until then. Who asked for it may have gone: it is run to its end all the same.
 */
export async function execute({
  timeoutMs = DEFAULT_MS,
  clock,
  starter,
  keptBytes,
  ...options
}: ExecuteOptions): Promise<Executed> {
  const outputs = { stdout: new Kept(keptBytes), stderr: new Kept(keptBytes) };
  const begun = clock.now();
  const command = await starter.start({
    ...options,
    onOutput: (output, bytes) => outputs[output].add(bytes),
  });
  const over = new AbortController();
  const isLate = await Promise.race([
    command.ended.then(() => false),
    clock.sleep(timeoutMs, over.signal).then(
      () => true,
      () => false,
    ),
  ]);
  over.abort();
  if (isLate) await killFamily(command, clock);
  const end = await command.ended;
  const [stdout, stderr] = [outputs.stdout.text(), outputs.stderr.text()];
  const isCut = outputs.stdout.lost + outputs.stderr.lost > 0;
  const result: Executed = {
    exitCode: exitCodeOf(end),
    stdout,
    stderr,
    duration: clock.now() - begun,
    ...(end.signal && { signal: end.signal }),
    ...(isCut && { truncated: { stdout: outputs.stdout.lost, stderr: outputs.stderr.lost } }),
  };
  if (!isLate) return result;
  throw new BoxError(408, 'EXEC_TIMEOUT', `the command was ended after ${timeoutMs} ms`, {
    timeoutMs,
    result,
  });
}

/** For whoever passes the answer on and looks at its head alone. */
export const exitHeader = ({ exitCode }: Executed): Readonly<Record<string, string>> => ({
  'x-exit-code': String(exitCode),
});
