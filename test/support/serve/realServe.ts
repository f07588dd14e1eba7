import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unmountBelow } from '../files/unmountBelow.ts';
import { removeHost } from '../host/testDocker.ts';
import { endChild } from '../process/endChild.ts';
import { freePort } from '../process/freePort.ts';

const runtime = join(import.meta.dirname, '../../../dist/runtime');

/** What a client sees of a sandbox, as far as tests look. */
export interface Info {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
  readonly connection?: { readonly sidecarUrl: string; readonly authToken: string };
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The real executable as a server of sandboxes, on the real engine, with a folder as its store where `env` names none. */
export interface RealServe extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly data: string;
  /** Where sandboxes reach the store. */
  readonly storePort: number;
  readonly pid: number;
  /** Its name on the engine, once it has started. */
  id(): string;
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  create(body?: object): Promise<Info>;
  info(id: string): Promise<Info>;
  /** Throws when it has another end. */
  until(id: string, status: string): Promise<Info>;
  /** A shell command inside; throws unless it was run. */
  exec(id: string, command: string): Promise<Ran>;
  log(): string;
}

const LONGEST_MS = 120_000;
/** Ends of which nothing comes any more. */
const ends = new Set(['failed', 'expired']);

export async function realServe(options: {
  readonly image: string;
  readonly env?: Record<string, string>;
  /** YAML; default: the usual one. */
  readonly policy?: string;
}): Promise<RealServe> {
  const root = mkdtempSync(join(tmpdir(), 'serve-'));
  const [port, storePort] = [await freePort(), await freePort()];
  const data = join(root, 'data');
  const key = randomBytes(24).toString('hex');
  const logFile = join(root, 'log');
  const url = `http://127.0.0.1:${port}`;
  const policy = join(root, 'policy.yaml');
  if (options.policy !== undefined) writeFileSync(policy, options.policy);
  let child: ChildProcess | undefined;

  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text || '{}') as Answer['body'] };
  }

  async function good(method: string, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }

  const serve: RealServe = {
    url,
    key,
    data,
    storePort,
    id: () => readFileSync(join(data, 'host-id'), 'utf8').trim(),
    get pid() {
      return child?.pid ?? -1;
    },
    start: async () => {
      const out = openSync(logFile, 'a');
      const env = {
        PATH: process.env.PATH,
        RUNTIME_SERVE_KEY: key,
        RUNTIME_SERVE_PORT: String(port),
        RUNTIME_SERVE_STORE_PORT: String(storePort),
        RUNTIME_SERVE_DATA: data,
        RUNTIME_SERVE_SOCKET: join(root, 'socket'),
        RUNTIME_IMAGE: options.image,
        ...(options.policy !== undefined && { RUNTIME_SERVE_POLICY: policy }),
        ...options.env,
      };
      child = spawn(runtime, ['serve'], { env, stdio: ['ignore', out, out] });
      const started = child;
      for (let waited = 0; ; waited += 50) {
        // Before its engine has answered it refuses whatever is asked of it.
        const ready = await fetch(`${url}/readyz`).catch(() => undefined);
        await ready?.arrayBuffer();
        if (ready?.ok) return;
        if (started.exitCode !== null || waited > LONGEST_MS) throw new Error(serve.log());
        await pause(50);
      }
    },
    kill: async () => void (await endChild(child, 'SIGKILL')),
    stop: () => endChild(child, 'SIGTERM'),
    call,
    create: async (body = {}) => (await good('POST', '/v1/sandboxes', body)) as unknown as Info,
    info: async (id) => (await good('GET', `/v1/sandboxes/${id}`)) as unknown as Info,
    until: async (id, status) => {
      for (let waited = 0; ; waited += 100) {
        const info = await serve.info(id);
        if (info.status === status) return info;
        if (ends.has(info.status) || waited > LONGEST_MS)
          throw new Error(`${id} is ${info.status}, not ${status}: ${info.error}\n${serve.log()}`);
        await pause(100);
      }
    },
    exec: async (id, command) => {
      const body = await good('POST', `/v1/sandboxes/${id}/runtime/terminals/commands`, { command });
      return body.result as Ran;
    },
    log: () => readFileSync(logFile, 'utf8'),
    [Symbol.asyncDispose]: async () => {
      await endChild(child, 'SIGKILL');
      await removeHost(serve.id());
      unmountBelow(root);
      await rm(root, { recursive: true, force: true });
    },
  };
  return serve;
}
