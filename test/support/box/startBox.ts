import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { SidecarClient } from '../sandboxClient.ts';

const main = join(import.meta.dirname, '../../../src/main.ts');

export interface TestBox {
  readonly pid: number;
  readonly workspace: string;
  readonly url: string;
  /** With the token, as clients ask. */
  readonly client: SidecarClient;
  /** With the token; JSON in and out. */
  ask(method: string, path: string, body?: unknown): Promise<BoxAnswer>;
  /** With the token, and whatever else; the answer as it is. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  exec(command: string, more?: Readonly<Record<string, unknown>>): Promise<Result>;
  /** To its whole process group, as a supervisor does; resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  readonly exited: Promise<number | null>;
  readonly channel: Duplex | undefined;
  end(): Promise<void>;
}

export interface BoxAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects is in the test
  readonly body: any;
}

export interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly [more: string]: unknown;
}

export interface StartBoxOptions {
  /** What runs beside it. It has descriptor 3, at whose other end is `channel`. */
  readonly companion?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As whom; root only. */
  readonly uid?: number;
  /** It is ended by `end`, for the tests of a file. */
  readonly shared?: boolean;
}

/** A real box as a process on this machine, ended with the test. */
export async function startBox({
  companion = [],
  env = {},
  uid,
  shared = false,
}: StartBoxOptions = {}): Promise<TestBox> {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'runtime-box-')));
  if (uid !== undefined) chownSync(workspace, uid, uid);
  const token = 'token-of-the-box';
  const words = [main, 'box', ...(companion.length > 0 ? ['--', ...companion] : [])];
  const child = spawn(process.execPath, words, {
    cwd: workspace,
    detached: true,
    env: { PATH: process.env.PATH, TMPDIR: workspace, BOX_TOKEN: token, BOX_PORT: '0', ...env },
    stdio: ['ignore', 'inherit', 'pipe', ...(companion.length > 0 ? (['pipe'] as const) : [])],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const end = async () => {
    // What it has started leads groups of its own: it ends them when it is asked to end itself.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGTERM');
    const late = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 10_000);
    await exited;
    clearTimeout(late);
    rmSync(workspace, { recursive: true, force: true });
  };
  if (!shared) onTestFinished(end);
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      const found = /"the box is listening","port":(\d+)/.exec(line);
      if (found) resolve(Number(found[1]));
      else process.stderr.write(`${line}\n`);
    });
    void exited.then((code) => reject(new Error(`the box has ended with ${code}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const authorized = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(init.headers as Record<string, string>),
      },
    });
  const ask = async (method: string, path: string, body?: unknown): Promise<BoxAnswer> => {
    const response = await authorized(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  return {
    pid: child.pid!,
    workspace,
    url,
    client: new SidecarClient(url, token),
    ask,
    fetch: authorized,
    exec: async (command, more = {}) => {
      const { status, body } = await ask('POST', '/terminals/commands', { command, ...more });
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
      return body.result as Result;
    },
    stop: (signal = 'SIGTERM') => {
      process.kill(-child.pid!, signal);
      return exited;
    },
    exited,
    channel: child.stdio[3] as Duplex | undefined,
    end,
  };
}
