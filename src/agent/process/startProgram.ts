import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { type Duplex, Readable, type Writable } from 'node:stream';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';
import { signalProcess } from '../../base/process/signalProcess.ts';
import { openControl } from './control.ts';
import { fatalSignal } from './fatalSignal.ts';
import { raiseOomScore } from './raiseOomScore.ts';

/** A program that is still being written is tried this often, with so many milliseconds between. */
const BUSY_TRIES = 10;
const BUSY_MS = 50;

/** A program of the bot's: the bot itself, or one that answers queries. */
export interface ProgramOptions {
  readonly launch: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly control: string | undefined;
    readonly channel?: 'control' | 'stdio' | undefined;
  };
  /** The whole environment: nothing is added to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: who we are. */
  readonly user: Owner | undefined;
  /** A descriptor, or a stream of Node's. */
  readonly stdout: number | 'pipe';
  readonly stderr: number | 'pipe';
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `no-entrypoint`, `not-executable`: it could not be started; `config`: its launcher refused to run it. */
  readonly error: RuntimeError | undefined;
}

export interface ProgramChannel {
  readonly readable: Readable;
  readonly writable: Writable;
}

/** A program's first process. It leads a session and a process group of its own, which is how it is signalled. */
export interface Program {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Lets a launcher that waits run what it launches; nothing for programs that never wait. */
  go(): void;
  /** Signals the whole group; false where no process is left in it. */
  signal(signal: NodeJS.Signals): boolean;
  /** To be called, in the same turn of the event loop, when one of its outputs has ended: it may just have died. */
  outputEnded(): void;
  /** When the first process has ended; its descendants may still hold its outputs. Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** What an agent is spoken to over: its descriptor 3, or its stdin and stdout. Undefined: it has none (`Launch.channel`). */
  readonly channel: ProgramChannel | undefined;
  /** Resolves when no process holds its outputs any more, where they are streams. Never rejects. */
  readonly closed: Promise<void>;
}

/** Starts a program, or the interpreter that waits for its code. What goes wrong is in `ended`. */
export function startProgram({ launch, env, user, stdout, stderr }: ProgramOptions): Program {
  const [file = '', ...args] = launch.argv;
  const speaks = launch.channel === 'stdio';
  let child: ChildProcess;
  try {
    child = spawnUnlessWritten(file, args, {
      cwd: launch.cwd,
      env,
      detached: true,
      stdio: [
        ...(speaks ? (['pipe', 'pipe'] as const) : (['ignore', stdout] as const)),
        stderr,
        ...(launch.control === undefined ? [] : ['pipe' as const]),
      ],
      ...user,
    });
  } catch (error) {
    return notStarted(startError(error as Error, file));
  }
  raiseOomScore(child.pid, user);
  const socket = child.stdio[3] as Duplex | null | undefined;
  const isKept = launch.channel === 'control';
  const control =
    socket && launch.control !== undefined ? openControl(socket, launch.control, isKept) : undefined;
  const { pid } = child;
  let fatal: NodeJS.Signals | undefined;
  return {
    pid,
    stdout: speaks ? null : child.stdout,
    stderr: child.stderr,
    go: () => control?.go(),
    signal: (signal) => pid !== undefined && signalProcess(-pid, signal),
    outputEnded: () => {
      const number = pid === undefined ? undefined : fatalSignal(pid, user);
      if (number !== undefined) fatal = `SIG${number}` as NodeJS.Signals;
    },
    ended: new Promise((resolve) => {
      child.once('error', (error) => {
        if (pid === undefined) resolve({ code: null, signal: null, error: startError(error, file) });
      });
      child.once('exit', async (code, signal) => {
        // Who has stopped reading it would never learn that it is closed.
        if (isKept) socket?.resume();
        // Of a real-time signal Node says nothing: no signal, and a good end.
        const isLost = fatal !== undefined && code === 0 && signal === null;
        const end = isLost ? { code: null, signal: fatal! } : { code, signal };
        resolve({ ...end, error: await control?.refusal });
      });
    }),
    channel: channelOf(child, launch.channel),
    closed: new Promise((resolve) => child.once('close', () => resolve())),
  };
}

/** Whoever was just forked holds what we have written until it runs its own program: that passes, a copy under way may not. */
function spawnUnlessWritten(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  for (let tries = 1; ; tries++) {
    try {
      return spawn(file, args, options);
    } catch (error) {
      if (systemCode(error) !== 'ETXTBSY' || tries === BUSY_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
}

function channelOf(
  child: ChildProcess,
  channel: 'control' | 'stdio' | undefined,
): ProgramChannel | undefined {
  const [readable, writable] =
    channel === 'stdio'
      ? [child.stdout, child.stdin]
      : channel === 'control'
        ? [child.stdio[3], child.stdio[3]]
        : [];
  if (!readable || !writable) return undefined;
  // What is written to one that has ended: its end tells.
  writable.on('error', () => undefined);
  return { readable: readable as Readable, writable: writable as Writable };
}

function notStarted(error: RuntimeError): Program {
  return {
    pid: undefined,
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    go: () => undefined,
    signal: () => false,
    outputEnded: () => undefined,
    channel: undefined,
    ended: Promise.resolve({ code: null, signal: null, error }),
    closed: Promise.resolve(),
  };
}

function startError(error: Error, file: string): RuntimeError {
  const details = { op: 'bot.start', path: file, cause: error };
  if (systemCode(error) === 'ENOENT') {
    return new RuntimeError('no-entrypoint', `${file} or its interpreter does not exist`, {
      ...details,
      hint: 'Is the kind installed here? `runtime doctor` says.',
    });
  }
  const hint = systemCode(error) === 'ETXTBSY' ? 'Somebody has it open for writing.' : undefined;
  return new RuntimeError(
    'not-executable',
    `${file} cannot be run: ${error.message}`,
    hint ? { ...details, hint } : details,
  );
}
