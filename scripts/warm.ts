/**
 * `warm.ts SCRIPT CACHE agent|query` runs one bot, or its query server, in this process, from the bundled SCRIPT, and writes V8's code cache. The cache then holds
 * the code of every function that a start runs; without it each start would compile them anew. The bucket is a map in this
 * process: it has to answer, it does not have to keep anything.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { freePort } from '../src/agent/process/freePort.ts';
import { zipOf } from './zipOf.ts';

// On a slow machine a life is long enough for its process to give its bytecode back.
setFlagsFromString('--no-flush-bytecode');

const [file = '', cache = '', program = ''] = process.argv.slice(2);
const place = mkdtempSync(join(tmpdir(), 'warm-'));
const objects = new Map([
  ['/custom-bots/code.zip', zipOf([['main', 'x'.repeat(2000)]])],
  // Large enough to be unpacked while it arrives.
  [
    '/custom-bots/large.zip',
    zipOf(Array.from({ length: 500 }, (_, i) => [`package-${i % 20}/${i}.py`, randomBytes(10_000)])),
  ],
]);

const server = createServer(async (request, response) => {
  const path = request.url?.split('?', 1)[0] ?? '';
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.method === 'PUT') objects.set(path, Buffer.concat(chunks));
  const object = objects.get(path);
  response.setHeader('etag', '"1"');
  response.setHeader('last-modified', new Date().toUTCString());
  if (object === undefined) {
    response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  } else {
    response.setHeader('content-length', request.method === 'PUT' ? 0 : object.length);
    response.writeHead(200).end(request.method === 'GET' ? object : undefined);
  }
});

server.listen(0, '127.0.0.1', async () => {
  Object.assign(process.env, {
    MINIO_ENDPOINT: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    MINIO_ACCESS_KEY: 'warm',
    MINIO_SECRET_KEY: 'warm',
    BOT_ID: 'warm',
    BOT_USER: 'none',
    RUNTIME: 'command',
    // Ends before it would have a daemon: what it changes is published by this process.
    ENTRYPOINT:
      'echo; cd "$STATE_PATH"; mkdir -p d; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do for j in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do [ -e d/$i-$j ] || echo $i > d/$i-$j; done; done; date > file; sleep 0.1',
    CODE_FILE: 'code.zip',
    CODE_PATH: join(place, 'code'),
    STATE_PATH: join(place, 'state'),
    LOGS_PATH: join(place, 'the0', 'logs'),
  });
  // The daemon is started from the bundle as it is.
  const start = file.replace(/\.js$/, '.start.cjs');
  writeFileSync(
    start,
    `require(${JSON.stringify(file.replace(/\.js$/, '.cjs'))}).run(process).then(process.exit);`,
  );
  process.argv = [
    process.execPath,
    start,
    'execute',
    ...(program === 'query' ? ['--query-server-only'] : []),
  ];
  if (program === 'query') {
    const port = await freePort();
    Object.assign(process.env, { BOT_TYPE: 'realtime', QUERY_PORT: String(port), QUERY_ENTRYPOINT: 'true' });
    void askAndEnd(port);
  }
  const script = new Script(readFileSync(file, 'utf8'), { filename: 'runtime:agent' });
  const { exit } = process;
  process.exit = (code): never => {
    // A cache is good for processes with the same flags.
    setFlagsFromString('--flush-bytecode');
    // A life of more than two seconds has given its memory back, by this.
    setFlagsFromString('--no-expose-gc');
    writeFileSync(cache, script.createCachedData());
    rmSync(place, { recursive: true, force: true });
    return exit(code);
  };
  const load = script.runInThisContext() as (
    exports: object,
    require: (name: string) => unknown,
    module: object,
  ) => void;
  const module = { exports: {} as { run(process: NodeJS.Process): Promise<number> } };
  load(module.exports, requireHere, module);
  void module.exports
    .run(process)
    .then((code) => {
      process.env.CODE_FILE = 'large.zip';
      return program === 'query' ? code : module.exports.run(process);
    })
    .then((code) => process.exit(code));
});

/** As in the executable, where parts are assets. */
function requireHere(name: string): unknown {
  if (name !== 'node:sea') return createRequire(import.meta.url)(name);
  const asset = (path: string) => join(dirname(file), path);
  return {
    isSea: () => false,
    getAsset: (path: string, encoding: BufferEncoding) => readFileSync(asset(path), encoding),
    getRawAsset: (path: string) => readFileSync(asset(path)),
  };
}

/** The query server's own paths; then it is told to end. */
async function askAndEnd(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/_runtime/healthz`).catch(() => undefined);
    if (answer) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.kill(process.pid, 'SIGTERM');
}
