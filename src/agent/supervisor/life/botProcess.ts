import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import type { Owner } from '../../../base/owner.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import { goFirst } from '../../process/goFirst.ts';
import { signalProcess } from '../../process/signalProcess.ts';
import type { OutputPipes } from '../capture/outputPipes.ts';

export interface BotOptions {
  readonly launch: Launch;
  /** The whole environment: nothing of ours is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: Owner | undefined;
  /** Undefined: Node's sockets. */
  readonly pipes: OutputPipes | undefined;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the program could not be started, or refused to run the bot. */
  readonly error: RuntimeError | undefined;
}

/** The bot's first process. It leads a session and a process group of its own, which is how it is signalled. */
export interface BotProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** To be read from the first byte: a descriptor, or a stream where there are no pipes. */
  readonly stdout: Readable | number;
  readonly stderr: Readable | number;
  /** Lets a launcher that waits run the bot; nothing for programs that never wait. */
  go(): void;
  /** Signals the whole group; false when nobody is left in it. */
  signal(signal: NodeJS.Signals): boolean;
  /** When the first process has ended; its descendants may still hold the pipes. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
}

/** Starts the bot, or the interpreter that waits for its code. What goes wrong is in `ended`. */
export function startBot({ launch, env, user, pipes }: BotOptions): BotProcess {
  const [file = '', ...args] = launch.argv;
  const child = spawn(file, args, {
    cwd: launch.cwd,
    env,
    detached: true,
    stdio: [
      'ignore',
      pipes?.stdout.writer ?? 'pipe',
      pipes?.stderr.writer ?? 'pipe',
      launch.control === undefined ? 'ignore' : 'pipe',
    ],
    ...user,
  });
  goFirst(child.pid, user);
  pipes?.stdout.release();
  pipes?.stderr.release();
  const control = launch.control === undefined ? undefined : openControl(child, launch.control);

  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error: spawnError(error, file) }));
    child.once('exit', (code, signal) => {
      void (control?.refusal() ?? Promise.resolve(undefined)).then((error) =>
        resolve({ code, signal, error }),
      );
    });
  });

  return {
    pid: child.pid,
    stdout: pipes?.stdout.reader ?? (child.stdout as Readable),
    stderr: pipes?.stderr.reader ?? (child.stderr as Readable),
    go: () => control?.go(),
    signal: (signal) => child.pid !== undefined && signalProcess(-child.pid, signal),
    ended,
  };
}

/** Longest refusal that a launcher may send, bytes. */
const MAX_REFUSAL = 64 * 1024;

function openControl(child: ChildProcess, program: string) {
  const socket = child.stdio[3] as Duplex | null;
  let answer = '';
  const closed = new Promise<void>((resolve) => {
    if (!socket) return resolve();
    // A bot that is gone before it has read everything: `exit` tells.
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      if (answer.length < MAX_REFUSAL) answer += chunk.toString('utf8');
    });
  });
  socket?.write(program);
  return {
    go: () => {
      socket?.end('go\n');
    },
    refusal: async (): Promise<RuntimeError | undefined> => {
      await closed;
      return parseRefusal(answer);
    },
  };
}

/** Only the launcher can have written it: it closes the descriptor before it runs anything of the bot's. */
function parseRefusal(answer: string): RuntimeError | undefined {
  if (answer.trim() === '') return undefined;
  try {
    const { message } = JSON.parse(answer) as { message?: unknown };
    if (typeof message === 'string') return new RuntimeError('config', message, { op: 'bot.start' });
  } catch {
    // Falls through: whatever it was, it was no refusal.
  }
  return undefined;
}

function spawnError(error: Error, file: string): RuntimeError {
  const code = systemCode(error);
  const details = { op: 'bot.start', path: file, cause: error };
  if (code === 'ENOENT') {
    return new RuntimeError('no-entrypoint', `${file} is not there, or its interpreter is not`, {
      ...details,
      hint: 'Is the kind installed in this image? `runtime doctor` tells.',
    });
  }
  return new RuntimeError('not-executable', `${file} cannot be run: ${error.message}`, details);
}
