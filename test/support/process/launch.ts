import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Launch } from '../../../src/bot/kinds/kind.ts';

export interface LaunchOptions {
  /** Added to the bot's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called once the process runs and before `go`: puts the code in place. */
  readonly beforeGo?: () => Promise<void>;
  /** `false`: the supervisor goes away instead of saying `go`. */
  readonly go?: boolean;
  /** Called with the process and its stdout so far, whenever there is more of it. */
  readonly onOutput?: (child: ChildProcess, stdout: string) => void;
}

export interface LaunchResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What came back on file descriptor 3. */
  readonly control: string;
}

/** Runs a launch as the supervisor does: a socket at file descriptor 3, the program on it, then `go`. */
export async function run(
  launching: Launch | Promise<Launch>,
  options: LaunchOptions = {},
): Promise<LaunchResult> {
  const launch = await launching;
  const [command = '', ...args] = launch.argv;
  const child = spawn(command, args, {
    cwd: launch.cwd,
    env: {
      PATH: botPath(),
      HOME: '/tmp',
      BOT_ID: 'bot-1',
      BOT_CONFIG: '{"pair":"BTC/USD"}',
      ...launch.env,
      ...options.env,
    },
    stdio: launch.control === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const text = { stdout: '', stderr: '', control: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    text.stdout += chunk;
    options.onOutput?.(child, text.stdout);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text.stderr += chunk;
  });
  const control = child.stdio[3] as Duplex | null | undefined;
  control?.on('data', (chunk: Buffer) => {
    text.control += chunk;
  });
  control?.on('error', () => {});
  control?.write(launch.control ?? '');
  await options.beforeGo?.();
  if (options.go ?? true) control?.write('go\n');
  else control?.destroy();
  const [code, signal] = await ended;
  return { code, signal, ...text };
}

/** Shims of version managers cost more than an interpreter; the system's own come first. */
function botPath(): string {
  return `/usr/bin:/bin:${process.env.PATH ?? ''}`;
}
