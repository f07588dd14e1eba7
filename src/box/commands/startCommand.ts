import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../../base/errors.ts';
import { BoxError, invalid } from '../http/boxError.ts';
import type { CommandEnd } from './commandEnd.ts';
import { type Family, MARK_VARIABLE } from './family.ts';
import type { PipePool } from './pipePool.ts';
import type { ShellWords } from './shellWords.ts';

/** So many bytes in so many milliseconds are much for one command. */
const FLOOD_BYTES = 4 * 1024 * 1024;
const FLOOD_MS = 100;

/** From the end of a command to the end of its output, where there are no pipes. */
const SOCKET_MS = 200;

export type Output = 'stdout' | 'stderr';

export interface CommandOptions {
  readonly words: ShellWords;
  /** An absolute path of a folder that is there. */
  readonly cwd: string;
  /** The whole environment: only its mark is added to it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads; undefined: nothing, null: what is written to its `input`. */
  readonly stdin?: string | null | undefined;
  readonly pipes: PipePool;
  /** What all of its processes are found again by. */
  readonly mark: string;
  /** All that comes until its first process has ended. What its descendants print after that nobody hears, and nobody is killed by. */
  readonly onOutput: (output: Output, bytes: Buffer) => void;
}

export interface RunningCommand extends Family {
  /** When the first process has ended and all that it has printed was passed on. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  readonly input: Writable | null;
}

/** Starts a command in a session and a group of its own. Throws `BoxError` where that cannot be done. */
export async function startCommand(options: CommandOptions): Promise<RunningCommand> {
  const { words, cwd, env, stdin, pipes, mark, onOutput } = options;
  const taken = { stdout: await pipes.take(), stderr: await pipes.take() };
  const [file = '', ...args] = words.argv;
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      cwd,
      env: { ...env, [MARK_VARIABLE]: mark },
      detached: true,
      stdio: [
        stdin === undefined ? 'ignore' : 'pipe',
        taken.stdout?.writer ?? 'pipe',
        taken.stderr?.writer ?? 'pipe',
        ...(words.script === undefined ? [] : [words.script]),
      ],
    });
    if (child.pid !== undefined) standBehind(child.pid);
  } catch (error) {
    for (const pipe of Object.values(taken)) pipe?.reader.destroy();
    throw startError(error, file);
  } finally {
    for (const pipe of Object.values(taken)) pipe?.release();
    if (words.script !== undefined) closeSync(words.script);
  }
  const sources: Record<Output, Readable> = {
    stdout: taken.stdout?.reader ?? child.stdout!,
    stderr: taken.stderr?.reader ?? child.stderr!,
  };
  let hasEnded = false;
  const spend = floodGate(Object.values(sources));
  for (const output of ['stdout', 'stderr'] as const) {
    sources[output].on('data', (bytes: Buffer) => {
      spend(bytes.length);
      if (!hasEnded) onOutput(output, bytes);
    });
  }
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('exit', async (code, signal) => {
      // Of a socket nobody can say that nothing is left in it, but for its end, which descendants may hold back.
      if (!taken.stdout || !taken.stderr) await Promise.race([once(child, 'close'), delay(SOCKET_MS)]);
      for (const output of ['stdout', 'stderr'] as const) {
        // What waits in the stream came before what waits in the pipe.
        for (let held = sources[output].read(); held; held = sources[output].read());
        const rest = taken[output]?.takeRest();
        if (rest && rest.length > 0) onOutput(output, rest);
      }
      hasEnded = true;
      for (const source of Object.values(sources)) source.resume();
      resolve({ code, signal });
    });
  });
  await started(child, file);
  // What is written to one that has ended: its end tells.
  child.stdin?.on('error', () => undefined);
  if (typeof stdin === 'string') child.stdin!.end(stdin);
  return {
    leader: child.pid!,
    mark,
    ended,
    input: child.stdin,
  };
}

/** However many it becomes: who serves this box, and who saves its disk, has the processor first. Towards other containers nothing changes. */
function standBehind(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended.
  }
}

/** Who prints without end waits now and then, so that others get their turn. */
function floodGate(sources: readonly Readable[]): (bytes: number) => void {
  let spent = 0;
  let since = performance.now();
  return (bytes) => {
    const now = performance.now();
    if (now - since > FLOOD_MS) [spent, since] = [0, now];
    spent += bytes;
    if (spent < FLOOD_BYTES || sources[0]!.isPaused()) return;
    for (const source of sources) source.pause();
    setTimeout(() => {
      for (const source of sources) source.resume();
    }, FLOOD_MS).unref();
  };
}

/** Node tells of what the system refuses now, or with the next turn of its loop. */
function started(child: ChildProcess, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(startError(error, file)));
    child.once('spawn', resolve);
  });
}

function startError(error: unknown, file: string): unknown {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'EACCES':
      return invalid('command', `cannot be run: there is no ${file}, or it is not executable`);
    case 'EAGAIN':
    case 'ENOMEM':
    case 'EMFILE':
      return new BoxError(503, 'NO_ROOM', 'the sandbox has no room for another process');
    default:
      return error;
  }
}
