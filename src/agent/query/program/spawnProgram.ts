import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';
import { systemCode } from '../../../base/errors.ts';
import { goFirst } from '../../process/goFirst.ts';
import type { ProgramLaunch } from './programLaunch.ts';

/** How long the program's last output may take after its end, where another process holds the pipe open. */
const LAST_OUTPUT_MS = 500;
const MAX_REFUSAL_BYTES = 64 * 1024;

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
 * Starts the query program in a process group of its own. Both of its outputs go to `output`, or straight to our own
 * stderr: stdout belongs to the answer of an ephemeral query.
 */
export function spawnProgram(
  launch: ProgramLaunch,
  env: Readonly<Record<string, string>>,
  output?: Writable,
): RunningProgram {
  const out = output === undefined ? 2 : 'pipe';
  const [command, ...args] = launch.argv;
  const child = spawn(command!, args, {
    cwd: launch.cwd,
    env: { ...launch.env, ...env },
    stdio: ['ignore', out, out, ...(launch.control === undefined ? [] : ['pipe' as const])],
    detached: true,
    ...launch.user,
  });
  goFirst(child.pid, launch.user);
  if (output !== undefined) {
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
  }
  const refusal = launch.control === undefined ? undefined : giveControl(child, launch.control);
  const exited = programExit(child, refusal);
  return { pid: child.pid, exited, end: (graceMs) => endGroup(child, exited, graceMs) };
}

async function programExit(child: ChildProcess, refusal: Promise<string> | undefined): Promise<ProgramExit> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      const reason = `could not be started (${systemCode(error) ?? error.message})`;
      resolve({ reason, ok: false, failedToStart: true });
    });
    child.once('exit', async (code, signal) => {
      // Whatever it left behind in its group must not outlive it, nor answer in its place.
      signalGroup(child, 'SIGKILL');
      const message = await refusal;
      const reason = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
      const exit = {
        reason: message ? `${reason}: ${message}` : reason,
        ok: code === 0,
        failedToStart: false,
      };
      const late = setTimeout(() => resolve(exit), LAST_OUTPUT_MS);
      await closed;
      clearTimeout(late);
      resolve(exit);
    });
  });
}

/** Says `go`; gives the message with which a launcher refuses, or an empty string. */
async function giveControl(child: ChildProcess, control: string): Promise<string> {
  const channel = child.stdio[3] as Duplex;
  let text = '';
  channel.on('error', () => undefined);
  channel.on('data', (bytes: Buffer) => {
    if (text.length < MAX_REFUSAL_BYTES) text += bytes.toString();
  });
  channel.end(`${control}go\n`);
  await new Promise((resolve) => channel.once('close', resolve));
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? '');
  } catch {
    return '';
  }
}

async function endGroup(child: ChildProcess, exited: Promise<ProgramExit>, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signalGroup(child, 'SIGTERM');
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
    await exited;
    clearTimeout(late);
  }
  signalGroup(child, 'SIGKILL');
  await exited;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left.
  }
}
