import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ExitRecord } from '../../../src/agent/supervisor/life/exitRecord.ts';
import { temporaryDirectory } from '../files/temporary.ts';

/** The executable as users get it; `scripts/test` builds it. */
export const executable = join(import.meta.dirname, '../../../dist/runtime');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedRuntime {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Everything on stdout so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout has shown `text`; rejects when the process has ended without. */
  prints(text: string): Promise<void>;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Starts the executable with this environment and nothing else of ours but PATH. Killed when the test has finished. */
export const startRuntime = (args: readonly string[], env: Variables, cwd?: string): StartedRuntime =>
  startProgram([executable, ...args], env, cwd);

/** The same for a program that becomes the executable. */
export function startProgram(argv: readonly string[], env: Variables, cwd?: string): StartedRuntime {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    finished,
    stdout: () => stdout,
    stderr: () => stderr,
    prints: async (text) => {
      const shown = new Promise<void>((resolve) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        listeners.add(look);
        look();
      });
      const ended = finished.then((end) => {
        if (!stdout.includes(text))
          throw new Error(`ended (${end.code}) without printing ${text}: ${stderr}`);
      });
      await Promise.race([shown, ended]);
    },
  };
}

export const runRuntime = (args: readonly string[], env: Variables, cwd?: string): Promise<Finished> =>
  startRuntime(args, env, cwd).finished;

/** Where one life of a bot has its code, state and logs: empty at first, as in a new container. */
export async function newContainer(): Promise<{
  readonly root: string;
  readonly env: Record<string, string>;
  exitRecord(): Promise<ExitRecord>;
}> {
  const root = await temporaryDirectory();
  return {
    root,
    env: {
      CODE_PATH: join(root, 'bot'),
      STATE_PATH: join(root, 'state'),
      LOGS_PATH: join(root, 'the0', 'logs'),
      // The test's own user: these directories lie below a private one.
      BOT_USER: 'none',
    },
    exitRecord: async () => JSON.parse(await readFile(join(root, 'the0', 'exit.json'), 'utf8')) as ExitRecord,
  };
}
