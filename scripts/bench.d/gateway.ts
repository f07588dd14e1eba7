import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { universalImage } from '../../test/support/container/docker.ts';
import { realHost } from '../../test/support/host/realHost.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { ms, printTable } from './lib.ts';

/**
 * What the gateway costs, with the real executable, Docker and MinIO: a query of a bot that runs through 9477 and of its own port, in
 * turns over kept connections.
 */
const PAIRS = Number(process.argv[2] ?? 500);

const QUERY = `
require('http').createServer((request, response) => {
  const body = JSON.stringify({ status: 'ok', data: { n: 1 } });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;
const bot = (name: string, more: string) =>
  `name: ${name}\nruntime: nodejs20\nentrypoints: {bot: main.js, query: query.js}\n${more}`;

const image = await universalImage();
if (image.missing !== undefined) throw new Error(image.missing);
const minio = await startMinio({ address: '0.0.0.0', quiet: true });
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

const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;

try {
  await using host = await realHost({ image: image.tag, minio });
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
} finally {
  agent.destroy();
  await minio.stop();
}
