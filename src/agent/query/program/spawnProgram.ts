import type { Writable } from 'node:stream';
import { systemCode } from '../../../base/errors.ts';
import { type Program, startProgram } from '../../process/startProgram.ts';
import type { ProgramLaunch } from './programLaunch.ts';

/** How long the program's last output may take after its end, where another process holds the pipe open. */
const LAST_OUTPUT_MS = 500;

export interface ProgramExit {
  /** In words: `exited with code 1`. */
  readonly reason: string;
  readonly ok: boolean;
  /** It never ran. */
  readonly failedToStart: boolean;
}

export interface RunningProgram {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly exited: Promise<ProgramExit>;
  /** Ends it and its process group: SIGTERM, and SIGKILL after `graceMs` (0: at once). */
  end(graceMs: number): Promise<void>;
}

/**
 * Starts the query program, whose code is there. Both of its outputs go to `output`, or straight to our own stderr: stdout
 * belongs to the answer of an ephemeral query.
 */
export function spawnProgram(
  launch: ProgramLaunch,
  env: Readonly<Record<string, string>>,
  output?: Writable,
): RunningProgram {
  const out = output === undefined ? 2 : 'pipe';
  const program = startProgram({
    launch,
    env: { ...launch.env, ...env },
    user: launch.user,
    stdout: out,
    stderr: out,
  });
  program.go();
  if (output !== undefined) {
    program.stdout?.pipe(output, { end: false });
    program.stderr?.pipe(output, { end: false });
  }
  const exited = exitOf(program);
  return { pid: program.pid, exited, end: (graceMs) => endGroup(program, exited, graceMs) };
}

async function exitOf(program: Program): Promise<ProgramExit> {
  const { code, signal, error } = await program.ended;
  if (program.pid === undefined) {
    const why = systemCode(error?.cause) ?? error?.message;
    return { reason: `could not be started (${why})`, ok: false, failedToStart: true };
  }
  // Whatever it left behind in its group must not outlive it, nor answer in its place.
  program.signal('SIGKILL');
  const reason = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  await Promise.race([program.closed, wait(LAST_OUTPUT_MS)]);
  return { reason: error ? `${reason}: ${error.message}` : reason, ok: code === 0, failedToStart: false };
}

async function endGroup(program: Program, exited: Promise<ProgramExit>, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    program.signal('SIGTERM');
    await Promise.race([exited, wait(graceMs)]);
  }
  program.signal('SIGKILL');
  await exited;
}

/** Holds no process open. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
