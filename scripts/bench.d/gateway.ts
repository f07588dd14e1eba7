import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { docker, universalImage } from '../../test/support/container/docker.ts';
import { realHost } from '../../test/support/host/realHost.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { median, mib, ms, printTable, quantile } from './lib.ts';

/**
 * What the gateway costs, with the real executable, Docker and MinIO: a query of a bot that runs through 9477 and of its own port, in
 * turns over kept connections; then queries of bots that do not run, with waiting workers and without.
 */
const PAIRS = Number(process.argv[2] ?? 500);
/** Bots that do not run, of each kind and for each way. */
const FIRSTS = Number(process.argv[3] ?? 20);

const QUERY = `
require('http').createServer((request, response) => {
  const body = JSON.stringify({ status: 'ok', data: { n: 1 } });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;
const PYTHON_BOT = 'pass';
const PYTHON_QUERY = `
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": "ok", "data": {"n": 1}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
HTTPServer(("127.0.0.1", int(os.environ["THE0_QUERY_PORT"])), Handler).serve_forever()
`;
const bot = (name: string, more: string) =>
  `name: ${name}\nruntime: nodejs20\nentrypoints: {bot: main.js, query: query.js}\n${more}`;

const image = await universalImage();
if (image.missing !== undefined) throw new Error(image.missing);
const minio = await startMinio({ address: '0.0.0.0', quiet: true });
/** Another engine than this machine's, where one is named. */
const engine = process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {};
const agent = new http.Agent({ keepAlive: true });

/** Milliseconds; throws unless it is answered with 200. */
function ask(host: string, port: number, path: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get({ host, port, path, agent }, (response) => {
        response.resume().once('end', () => {
          if (response.statusCode === 200) resolve(performance.now() - began);
          else reject(new Error(`${path}: ${response.statusCode}`));
        });
      })
      .once('error', reject);
  });
}

/** Until it is answered with 200: while a bot starts, another container answers for it. */
async function untilAnswered(host: string, port: number, path: string): Promise<void> {
  for (const until = Date.now() + 25_000; ; await pause(500)) {
    const failure = await ask(host, port, path).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure === undefined) return;
    if (Date.now() > until) throw failure;
  }
}

const p = (q: number, values: number[]) => ms(quantile(values, q));

/** Bots that do not run, each asked once and then once more: by a host where workers wait, and by one where none does, in turns. */
async function measureEphemeral(): Promise<void> {
  await using pool = await realHost({ image: image.tag, minio, env: engine });
  await using cold = await realHost({
    image: image.tag,
    minio,
    env: { ...engine, RUNTIME_HOST_QUERY_WORKERS: '0' },
  });
  const kinds = {
    python: [PYTHON_BOT, PYTHON_QUERY, 'py', 'python3.11'],
    node: ['', QUERY, 'js', 'nodejs20'],
  };
  for (const [which, host] of Object.entries({ pool, cold })) {
    for (const [kind, [main = '', query = '', suffix, runtime]] of Object.entries(kinds))
      for (let i = 0; i <= FIRSTS; i++) {
        const name = `${which}-${kind}-${i}`;
        const spec = `name: ${name}\ntype: scheduled\nruntime: ${runtime}\nschedule: {cron: '0 0 1 1 *'}\n`;
        const entrypoints = `entrypoints: {bot: main.${suffix}, query: query.${suffix}}\n`;
        const files = {
          'bot.yaml': spec + entrypoints,
          [`main.${suffix}`]: main,
          [`query.${suffix}`]: query,
        };
        host.write(
          Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text])),
        );
      }
    await host.start();
  }
  const rows: (readonly [string, string, string?])[] = [];
  const { memory, containers } = await waitingMemory(pool.data);
  for (const kind of Object.keys(kinds)) {
    const first: Record<string, number[]> = { pool: [], cold: [] };
    const next: Record<string, number[]> = { pool: [], cold: [] };
    // The first of each is not counted: image and packages are read from the disk by it.
    for (let i = 0; i <= FIRSTS; i++)
      for (const [which, host] of Object.entries({ pool, cold })) {
        const path = `/bots/${which}-${kind}-${i}/x`;
        if (i === 0) await untilAnswered('127.0.0.1', host.queryPort, path);
        // Two wait, and are made again a second after one was taken.
        await pause(2_500);
        const took = await ask('127.0.0.1', host.queryPort, path);
        for (let again = 0; again < 5; again++)
          next[which]!.push(await ask('127.0.0.1', host.queryPort, path));
        if (i > 0) first[which]!.push(took);
      }
    for (const which of ['pool', 'cold'])
      rows.push(
        [
          `${kind}, ${which}: first, p50; p95`,
          `${p(0.5, first[which]!)}; ${p(0.95, first[which]!)}`,
          '200; 300 ms',
        ],
        [`${kind}, ${which}: next, p50; p95`, `${p(0.5, next[which]!)}; ${p(0.95, next[which]!)}`, '20 ms'],
      );
  }
  rows.push([
    `memory of a waiting worker, of ${containers}, by the kernel's count of its container`,
    mib(memory),
  ]);
  printTable(`Queries of bots that do not run, ${FIRSTS} bots each, in turns`, rows);
}

async function waitingMemory(
  data: string,
): Promise<{ readonly memory: number; readonly containers: number }> {
  await pause(8_000);
  const host = readFileSync(`${data}/host-id`, 'utf8').trim();
  const filters = ['--filter', `label=runtime.host=${host}`, '--filter', 'name=rtw-'];
  const running = (await docker('ps', '--format', '{{.Names}}', ...filters)).trim().split('\n');
  const usage = async (name: string) => {
    const stats = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', name);
    return Number.parseFloat(stats);
  };
  const used = await Promise.all(running.map(usage));
  return { memory: median(used), containers: used.length };
}

async function measureRunning(): Promise<void> {
  await using host = await realHost({ image: image.tag, minio, env: engine });
  const main = 'setInterval(() => {}, 1000);';
  host.write({
    'live/bot.yaml': bot('live', 'type: realtime\n'),
  });
  host.write({ 'live/main.js': main, 'live/query.js': QUERY });
  await host.start();
  const port = host.queryPort;
  await untilAnswered('127.0.0.1', port, '/bots/live/x');
  const view = (await host.list()).find(({ name }) => name === 'live');
  const address = view?.instances.find(({ state }) => state === 'running')?.address;
  if (address === undefined) throw new Error('the bot has no address');
  await untilAnswered(address, 9476, '/x');
  const direct: number[] = [];
  const through: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    direct.push(await ask(address, 9476, '/x'));
    through.push(await ask('127.0.0.1', port, '/bots/live/x'));
  }

  printTable('Queries through the gateway (executable, Docker, MinIO)', [
    [`the bot's own port, p50 of ${PAIRS}`, ms(quantile(direct, 0.5))],
    ['through 9477, p50', ms(quantile(through, 0.5))],
    [
      'added, p50 of the pairs',
      ms(
        quantile(
          through.map((value, i) => value - direct[i]!),
          0.5,
        ),
      ),
    ],
    ['load of the machine meanwhile', readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!],
  ]);
}

try {
  await measureRunning();
  await measureEphemeral();
} finally {
  agent.destroy();
  await minio.stop();
}
