import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { botProcesses, readProcessTable } from '../../src/base/process/processTree.ts';
import { signalProcess } from '../../src/base/process/signalProcess.ts';
import { soakBot, soakQuery } from './bot.ts';

export const BOT = 'soak';
const runtime = join(import.meta.dirname, '..', '..', 'dist', 'runtime');
/** The daemon's last save within STOP_TIMEOUT, and the bot's end before it. */
const GONE_MS = 30_000;

/**
 * How a life is ended: by SIGTERM; the supervisor killed, and the rest left to end by itself; or all processes killed at once,
 * as with a container.
 */
export type End = 'stopped' | 'supervisor killed' | 'container killed';

export interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** What it has said on stdout so far, in lines; the last may be cut short. */
  lines(): string[];
  /** Resolves with the exit code (null: killed) and the processes that would not go away. */
  end(how: End): Promise<{ readonly code: number | null; readonly left: readonly number[] }>;
}

export interface LifeOptions {
  /** Code, state and logs lie below it. */
  readonly dir: string;
  readonly number: number;
  readonly env: Readonly<Record<string, string>>;
}

export function startLife({ dir, number, env }: LifeOptions): Life {
  const child = spawn(runtime, ['execute'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      NODE: process.execPath,
      BOT_ID: BOT,
      BOT_USER: 'none',
      BOT_TYPE: 'realtime',
      RUNTIME: 'command',
      ENTRYPOINT: soakBot,
      QUERY_ENTRYPOINT: soakQuery,
      GAP: '0.02',
      LIFE: String(number),
      CODE_PATH: join(dir, 'bot'),
      STATE_PATH: join(dir, 'state'),
      LOGS_PATH: join(dir, 'the0', 'logs'),
      SYNC_INTERVAL: '1s',
      START_TIMEOUT: '30s',
      ...env,
    },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const ended = once(child, 'close');
  return {
    child,
    ended,
    lines: () => output.split('\n').filter((line) => line !== ''),
    end: async (how) => {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      const all = hasEnded ? [] : botProcesses(readProcessTable(), child.pid!);
      if (how === 'container killed') for (const pid of all) signalProcess(pid, 'SIGKILL');
      else child.kill(how === 'stopped' ? 'SIGTERM' : 'SIGKILL');
      await ended;
      return { code: child.exitCode, left: await survivors(all) };
    },
  };
}

/** The number that the state in `dir` stands at. */
export function countIn(dir: string): number {
  try {
    return Number(readFileSync(join(dir, 'state', 'count'), 'utf8'));
  } catch {
    return 0;
  }
}

async function survivors(pids: readonly number[]): Promise<readonly number[]> {
  const living = () => {
    const alive = new Set(readProcessTable().flatMap(({ pid, state }) => (state === 'Z' ? [] : [pid])));
    return pids.filter((pid) => alive.has(pid));
  };
  for (const until = Date.now() + GONE_MS; living().length > 0 && Date.now() < until; ) await sleep(50);
  return living();
}
