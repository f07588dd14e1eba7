import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/agent/process/freePort.ts';
import { readProcessTable } from '../../src/base/process/processTree.ts';
import { anonymousMiB, median, printColumns } from './lib.ts';

/**
 * The first token of an agent through the runtime, and of the same agent asked directly, in turns in one run; and the memory beside
 * it. The agents are the stand-ins of the tests, which answer at once: what is measured is what stands in between. On a machine that
 * has other things to do, `chrt -r 10` in front of it keeps those out.
 */
const RUNS = Number(process.argv[2] ?? 200);
const WARM = 20;
const root = join(import.meta.dirname, '../..');
const node = join(root, 'scripts/node');
const here = (name: string) => join(root, 'test/support/agent', name);
const dir = mkdtempSync(join(tmpdir(), 'runtime-bench-'));
const children: ChildProcess[] = [];

interface Asked {
  /** Milliseconds from the request until the first word of the answer. */
  first(): Promise<number>;
}

/** A stream of server-sent events, until one of them is `wanted`; read to its end. */
function firstEvent(options: http.RequestOptions, body: object, wanted: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const text = JSON.stringify(body);
    let first = Number.NaN;
    let seen = '';
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...options.headers,
    };
    const request = http.request(
      { host: '127.0.0.1', method: 'POST', agent: false, ...options, headers },
      (response) => {
        response.setEncoding('utf8').on('data', (piece: string) => {
          seen += piece;
          if (Number.isNaN(first) && seen.includes(wanted)) first = performance.now() - startedAt;
        });
        response.on('end', () => (Number.isNaN(first) ? reject(new Error(seen)) : resolve(first)));
      },
    );
    request.once('error', reject);
    request.end(text);
  });
}

function run(
  argv: readonly string[],
  env: Record<string, string>,
  stdio: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: [stdio, stdio, process.env.BENCH_STDERR ? 'inherit' : 'ignore'],
  });
  children.push(child);
  return child;
}

async function until(works: () => Promise<unknown>): Promise<void> {
  for (;;) {
    if (
      await works().then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
}

async function throughRuntime(name: string, manifest: object): Promise<Asked & { readonly pid: number }> {
  const home = join(dir, name);
  mkdirSync(join(home, 'kinds'), { recursive: true });
  mkdirSync(join(home, 'bot'), { recursive: true });
  writeFileSync(
    join(home, 'kinds/a.yaml'),
    JSON.stringify({ id: 'a', displayName: 'A', description: 'A.', ...manifest }),
  );
  const port = await freePort();
  const child = run([join(root, 'dist/runtime'), 'execute'], {
    BOT_ID: 'a',
    RUNTIME: 'a',
    BOT_TYPE: 'realtime',
    BOT_USER: 'none',
    ALLOW_EXPERIMENTAL: 'true',
    KINDS_PATH: join(home, 'kinds'),
    STORE_URL: `file://${join(home, 'store')}`,
    CODE_PATH: join(home, 'bot'),
    STATE_PATH: join(home, 'state'),
    LOGS_PATH: join(home, 'the0/logs'),
    QUERY_PORT: String(port),
    LOG_LEVEL: 'warn',
  });
  const first = () =>
    firstEvent(
      { port, path: '/_runtime/agent/messages' },
      { message: 'hello', conversation: 'c', stream: true },
      'event: delta',
    );
  await until(first);
  return { first, pid: child.pid ?? 0 };
}

async function chatDirectly(): Promise<Asked> {
  const port = await freePort();
  run([node, here('chatAgent.ts'), join(dir, 'direct.json')], { PORT: String(port), KEY: 'k' });
  const first = () =>
    firstEvent(
      { port, path: '/v1/chat/completions', headers: { authorization: 'Bearer k' } },
      { model: 'm', messages: [{ role: 'user', content: 'hello' }], stream: true, user: 'c' },
      '"content"',
    );
  await until(first);
  return { first };
}

async function acpDirectly(): Promise<Asked> {
  const child = run([node, here('sdkAgent.ts')], {}, 'pipe');
  const heard = new Map<string, (line: { result?: { sessionId?: string } }) => void>();
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const line = JSON.parse(text) as { id?: number; method?: string; result?: { sessionId?: string } };
    heard.get(line.method === undefined ? String(line.id) : 'update')?.(line);
  });
  let last = 0;
  const call = (method: string, params: object) =>
    new Promise<{ result?: { sessionId?: string } }>((resolve) => {
      last += 1;
      heard.set(String(last), resolve);
      child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', id: last, method, params })}\n`);
    });
  await call('initialize', { protocolVersion: 1 });
  const { result } = await call('session/new', { cwd: '/', mcpServers: [] });
  return {
    first: async () => {
      const startedAt = performance.now();
      const update = new Promise<number>((resolve) =>
        heard.set('update', () => resolve(performance.now() - startedAt)),
      );
      const answer = call('session/prompt', {
        sessionId: result?.sessionId,
        prompt: [{ type: 'text', text: 'hello' }],
      });
      const first = await update;
      heard.delete('update');
      await answer;
      return first;
    },
  };
}

function percentile(values: readonly number[], of: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * of)] ?? Number.NaN;
}

async function compare(name: string, direct: Asked, through: Asked): Promise<string[]> {
  const times = { direct: [] as number[], through: [] as number[] };
  for (let i = -WARM; i < RUNS; i++) {
    const [a, b] = [await direct.first(), await through.first()];
    if (i < 0) continue;
    times.direct.push(a);
    times.through.push(b);
  }
  const added = times.through.map((ms, i) => ms - (times.direct[i] ?? 0));
  const both = (values: readonly number[]) =>
    `${median(values).toFixed(2)} (${percentile(values, 0.1).toFixed(2)})`;
  return [name, both(times.direct), both(times.through), median(added).toFixed(2)];
}

/** Of all processes of ours below a supervisor, itself included, and of the agent's. */
function memory(supervisor: number): { readonly ours: number; readonly agent: number } {
  const table = readProcessTable();
  const own = table.filter(({ parent }) => parent === supervisor);
  const isAgent = (pid: number) => !/daemon|--query-server-only|^\/bin\/sh|end-groups/.test(commandLine(pid));
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + anonymousMiB(pid), 0);
  const [agent, ours] = [own.filter(({ pid }) => isAgent(pid)), own.filter(({ pid }) => !isAgent(pid))];
  return { ours: sum([supervisor, ...ours.map(({ pid }) => pid)]), agent: sum(agent.map(({ pid }) => pid)) };
}

function commandLine(pid: number): string {
  try {
    return process.getBuiltinModule('fs').readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

try {
  const openai = await throughRuntime('openai', {
    argv: [node, here('chatAgent.ts'), '{state}/said.json'],
    env: { PORT: '{port}' },
    agent: { protocol: 'openai', openai: { key: { env: 'KEY' }, conversation: { body: 'user' } } },
  });
  const acp = await throughRuntime('acp', {
    argv: [node, here('sdkAgent.ts')],
    agent: { protocol: 'acp', usage: 'cumulative' },
  });
  printColumns(
    'Agents: the first token, milliseconds: median (best tenth)',
    ['agent', 'direct', 'through', 'added'],
    [
      await compare('OpenAI endpoint', await chatDirectly(), openai),
      await compare('ACP', await acpDirectly(), acp),
    ],
  );
  // Longer than it takes to give memory back.
  await sleep(15_000);
  const mib = (value: number) => value.toFixed(1);
  const row = (name: string, { ours, agent }: ReturnType<typeof memory>) => [name, mib(agent), mib(ours)];
  printColumns(
    'Agents: anonymous memory, MiB',
    ['agent', 'the agent itself', 'beside it'],
    [row('OpenAI endpoint', memory(openai.pid)), row('ACP', memory(acp.pid))],
  );
} finally {
  for (const child of children) child.kill('SIGTERM');
  await sleep(2000);
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
