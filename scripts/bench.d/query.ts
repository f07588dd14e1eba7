import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../src/agent/process/freePort.ts';
import { the0Sdk } from '../../test/support/container/the0Sdk.ts';
import { anonymousMiB, median, printTable, sideBySide, timed } from './lib.ts';

/** The query server beside the same query program asked directly, on loopback, in one run. Needs `wrk`. */
const RUNS = Number(process.argv[2] ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const SOAK_SECONDS = Number(process.env.BENCH_SOAK_SECONDS ?? 60);

/** Longer than the query server waits before it gives memory back. */
const QUIET_MS = 12_000;

const NODE = `
require('http').createServer((request, response) => {
  const body = JSON.stringify({ status: 'ok', data: { n: 1 } });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;
const PYTHON = `
from the0 import query

@query.handler("/x")
def x(request):
    return {"n": 1}

query.run()
`;

const dir = mkdtempSync(join(tmpdir(), 'runtime-bench-'));
chmodSync(dir, 0o755);
writeFileSync(join(dir, 'query.js'), NODE);
writeFileSync(join(dir, 'query.py'), PYTHON);
execFileSync('scripts/need', ['wrk'], { stdio: ['ignore', 2, 2] });
// Where the user that the program runs as can read it.
const sdk = join(dir, 'vendor');
cpSync(await the0Sdk(), sdk, { recursive: true });
chmodSync(sdk, 0o755);
const programs: Record<'node' | 'python', Program> = {
  node: { command: `exec ${process.execPath} query.js`, env: {} },
  python: { command: 'exec /usr/bin/python3 query.py', env: { PYTHONPATH: sdk } },
};

interface Program {
  readonly command: string;
  readonly env: Record<string, string>;
}

interface Running {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

async function start(argv: readonly string[], env: Record<string, string>, port: number): Promise<Running> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    cwd: dir,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  while (
    !(await get(port, '/x').then(
      ({ status }) => status === 200,
      () => false,
    ))
  )
    await sleep(20);
  return {
    port,
    pid: child.pid!,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function startDirect({ command, env }: Program): Promise<Running> {
  const port = await freePort();
  return start(
    ['/bin/sh', '-c', command],
    { ...env, BOT_TYPE: 'realtime', THE0_QUERY_PORT: String(port) },
    port,
  );
}

function proxyEnv({ command, env }: Program): Record<string, string> {
  return {
    ...env,
    BOT_ID: 'bench',
    RUNTIME: 'command',
    ENTRYPOINT: command,
    QUERY_ENTRYPOINT: command,
    CODE_PATH: dir,
    STATE_PATH: join(dir, 'state'),
    LOGS_PATH: join(dir, 'logs/logs'),
    STORE_URL: `file://${dir}/store`,
  };
}

async function startProxied(program: Program): Promise<Running> {
  const port = await freePort();
  return start(
    [join(process.cwd(), 'dist/runtime'), 'execute', '--query-server-only'],
    { ...proxyEnv(program), BOT_TYPE: 'realtime', QUERY_PORT: String(port) },
    port,
  );
}

const agent = new http.Agent({ keepAlive: true });

async function get(port: number, path: string): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent }, (response) => {
        response.resume();
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, ms: performance.now() - began }),
        );
      })
      .on('error', reject);
  });
}

/** 50 requests a second to each in turn; milliseconds. */
async function latencies(ports: readonly number[], count: number): Promise<number[][]> {
  const seen: number[][] = ports.map(() => []);
  for (let n = 0; n < count; n += 1)
    for (const [at, port] of ports.entries()) {
      seen[at]!.push((await get(port, '/x')).ms);
      await sleep(20 / ports.length);
    }
  return seen;
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

async function wrk(
  port: number,
  connections: number,
  seconds: number,
): Promise<{ rate: number; errors: string }> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}`, `http://127.0.0.1:${port}/x`];
  const { stdout } = await promisify(execFile)('wrk', args);
  const errors = /Socket errors: (.*)|Non-2xx.*?: (\d+)/.exec(stdout)?.[0] ?? 'none';
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]), errors };
}

const rows: [string, string, string?][] = [];
for (const [name, program] of Object.entries(programs)) {
  const direct = await startDirect(program);
  const proxied = await startProxied(program);
  await sleep(2000);
  if (name === 'node')
    rows.push(['query server at idle', `${anonymousMiB(proxied.pid).toFixed(1)} MiB`, '< 28']);
  await latencies([direct.port, proxied.port], 50);
  const [alone = [], added = []] = await latencies([direct.port, proxied.port], 300);
  for (const [label, share, goal] of [
    ['p50', 0.5, '< 1 ms'],
    ['p99', 0.99, '< 4 ms'],
  ] as const) {
    const [a, b] = [percentile(alone, share), percentile(added, share)];
    rows.push([
      `${name}: added latency, ${label} (direct, proxied)`,
      `${(b - a).toFixed(2)} ms (${a.toFixed(2)}, ${b.toFixed(2)})`,
      goal,
    ]);
  }
  // As many connections as an accept queue of five takes without one waiting for its SYN to be sent again.
  const connections = name === 'python' ? 4 : 32;
  const rates: { direct: number[]; proxied: number[] } = { direct: [], proxied: [] };
  for (let run = 0; run < RUNS; run += 1) {
    rates.direct.push((await wrk(direct.port, connections, SECONDS)).rate);
    rates.proxied.push((await wrk(proxied.port, connections, SECONDS)).rate);
  }
  const [d, p] = [median(rates.direct), median(rates.proxied)];
  rows.push([
    `${name}: throughput (direct, proxied; requests/s)`,
    `${(p / d).toFixed(2)} × (${d.toFixed(0)}, ${p.toFixed(0)})`,
    name === 'node' ? '≥ 0.3 ×' : '≥ 0.5 ×',
  ]);
  const memory = [anonymousMiB(proxied.pid)];
  const sampling = setInterval(() => memory.push(anonymousMiB(proxied.pid)), 10_000);
  const soak = await wrk(proxied.port, 64, SOAK_SECONDS);
  clearInterval(sampling);
  await sleep(QUIET_MS);
  memory.push(anonymousMiB(proxied.pid));
  rows.push([
    `${name}: 64 connections for ${SOAK_SECONDS} s: errors; requests/s; MiB before, every 10 s, ${QUIET_MS / 1000} s after`,
    `${soak.errors}; ${soak.rate.toFixed(0)}; ${memory.map((value) => value.toFixed(0)).join(' ')}`,
    'none, flat',
  ]);
  await Promise.all([direct.stop(), proxied.stop()]);
}
/** A query of a bot that does not run, start to exit; its code is there, the store is a directory without a state. */
const asked = { PATH: process.env.PATH ?? '', PYTHONPATH: sdk, QUERY_PATH: '/x' };
const ephemeral = await sideBySide(10 * RUNS, {
  alone: async () => (await timed(['/usr/bin/python3', 'query.py'], asked, { cwd: dir })).totalMs,
  ours: async () =>
    (
      await timed([join(process.cwd(), 'dist/runtime'), 'execute'], {
        ...asked,
        ...proxyEnv(programs.python),
      })
    ).totalMs,
});
rows.push([
  'python: ephemeral query over python alone',
  `${(ephemeral.ours! - ephemeral.alone!).toFixed(0)} ms (${ephemeral.alone!.toFixed(0)}, ${ephemeral.ours!.toFixed(0)})`,
  '< 250 ms',
]);
agent.destroy();
rmSync(dir, { recursive: true });
printTable('Query server', rows);
process.exit();
