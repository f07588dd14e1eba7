import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ProgramLaunch } from '../../../src/agent/query/program/programLaunch.ts';
import { QueryMetrics } from '../../../src/agent/query/server/metrics.ts';
import { type QueryServer, startQueryServer } from '../../../src/agent/query/server/startQueryServer.ts';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { createLogger } from '../../../src/base/log.ts';
import { listen } from '../../../src/bot/answers/listen.ts';
import type { QueryConfig } from '../../../src/bot/config/config.ts';
import { EventBuffer } from '../../../src/bot/events/eventBuffer.ts';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly events: EventBuffer;
  readonly metrics: QueryMetrics;
  readonly logged: string[];
  /** Of the query program at the moment. */
  pid(): number | undefined;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body: string, headers?: Record<string, string>): Promise<Reply>;
  until(ready: () => Promise<boolean>): Promise<void>;
  untilReady(): Promise<void>;
  restartProgram(reason: string): void;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  json(): Record<string, unknown>;
}

export interface TestServerOptions {
  readonly program: string | readonly string[];
  readonly env?: Record<string, string>;
  readonly config?: Partial<QueryConfig>;
  readonly botRuns?: () => boolean;
  readonly eventCapacity?: number;
  readonly clock?: Clock;
}

/** A query server of its own, with a Node program (its text) or a command behind it. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'runtime-query-'));
  const argv =
    typeof options.program === 'string' ? [process.execPath, '-e', options.program] : options.program;
  const launch: ProgramLaunch = {
    argv,
    env: { PATH: process.env.PATH ?? '', ...options.env },
    cwd: dir,
    control: undefined,
    user: undefined,
  };
  const events = new EventBuffer(options.eventCapacity ?? 256, Date.now());
  const metrics = new QueryMetrics();
  const logged: string[] = [];
  let pid: number | undefined;
  const server: QueryServer = await startQueryServer({
    listen,
    config: {
      path: undefined,
      params: {},
      resultKey: undefined,
      port: 0,
      timeoutMs: 5000,
      concurrency: 64,
      token: undefined,
      ...options.config,
    },
    launch: async () => launch,
    events,
    metrics,
    clock: options.clock ?? systemClock,
    log: createLogger({
      level: 'debug',
      format: 'text',
      role: 'query',
      now: Date.now,
      write: (line) => logged.push(line),
    }),
    onEvent: (type, data) => events.append({ type, at: new Date().toISOString(), data }),
    info: () => ({
      version: '0',
      bot: 'b',
      kind: 'command',
      type: 'realtime',
      startedAt: new Date(0).toISOString(),
      generation: null,
      lastPublish: null,
    }),
    botRuns: options.botRuns ?? (() => true),
    processes: () => ({ query: process.pid, program: pid }),
    resultDir: join(dir, 'query'),
    output: new PassThrough().resume(),
    onProgram: (now) => {
      pid = now;
    },
  });
  const get = (path: string, headers = {}) => request(server.port, 'GET', path, headers);
  const until = async (ready: () => Promise<boolean>) => {
    while (!(await ready())) await systemClock.sleep(10);
  };
  return {
    port: server.port,
    events,
    metrics,
    logged,
    pid: () => pid,
    get,
    post: (path, body, headers = {}) => request(server.port, 'POST', path, headers, body),
    until,
    untilReady: () => until(async () => (await get('/_runtime/readyz', auth(options))).status === 200),
    restartProgram: server.restartProgram,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function auth({ config }: TestServerOptions): Record<string, string> {
  return config?.token ? { authorization: `Bearer ${config.token.reveal()}` } : {};
}

/** One request on a connection of its own. */
export async function request(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (reply) => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (piece: string) => {
        text += piece;
      });
      reply.on('error', reject);
      reply.on('end', () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
