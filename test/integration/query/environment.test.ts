import { expect, inject, test } from 'vitest';
import { containerBots } from '../../support/container/containerBots.ts';
import { executable, newContainer, startProgram, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

const query = `
require('http').createServer((request, response) => response.end(JSON.stringify({
  status: 'ok',
  data: { options: process.env.NODE_OPTIONS, ours: Object.keys(process.env).filter((name) => /RUNTIME_PROGRAM|MINIO_SECRET/.test(name)) },
}))).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;

test("the query program has the container's NODE_OPTIONS, as the bot has, and nothing of ours", async () => {
  const bots = await containerBots(inject('minio'));
  const env = await bots.deploy({
    kind: 'nodejs20',
    entrypoint: 'main.js',
    files: {
      'main.js': 'console.log(process.env.NODE_OPTIONS); setInterval(() => {}, 1000);',
      'query.js': query,
    },
  });
  const port = await freePort();
  const run = startRuntime(['execute'], {
    ...env,
    ...(await newContainer()).env,
    BOT_TYPE: 'realtime',
    QUERY_ENTRYPOINT: 'query.js',
    QUERY_PORT: String(port),
    NODE_OPTIONS: '--no-warnings',
  });
  await run.prints('--no-warnings');
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.json(),
      () => undefined,
    );
  await expect
    .poll(ask, { timeout: 20_000 })
    .toEqual({ status: 'ok', data: { options: '--no-warnings', ours: [] } });
  run.child.kill('SIGTERM');
  await run.finished;
});

test('what is not UTF-8 in the environment reaches the query program byte for byte, as it reaches the bot', async () => {
  const bots = await containerBots(inject('minio'));
  const port = await freePort();
  const env = await bots.deploy({
    kind: 'python3.11',
    entrypoint: 'main.py',
    files: {
      'main.py': `import os, time\nprint(os.environb[b'ODD'], flush=True)\ntime.sleep(600)\n`,
      'query.py': `
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = [name.decode() for name in os.environb if name.startswith(b'RUNTIME_')]
        body = json.dumps({'status': 'ok', 'data': [os.environb[b'ODD'].hex(), names]}).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(('127.0.0.1', int(os.environ['THE0_QUERY_PORT'])), Handler).serve_forever()
`,
    },
  });
  const variables = {
    ...env,
    ...(await newContainer()).env,
    BOT_TYPE: 'realtime',
    QUERY_ENTRYPOINT: 'query.py',
    QUERY_PORT: String(port),
  };
  const shell = ['/bin/sh', '-c', `ODD=$(printf 'caf\\351'); export ODD; exec "$0" execute`, executable];
  const run = startProgram(shell, variables);
  await run.prints(`b'caf\\xe9'`);
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.json(),
      () => undefined,
    );
  await expect.poll(ask, { timeout: 20_000 }).toEqual({ status: 'ok', data: ['636166e9', []] });
  run.child.kill('SIGTERM');
  await run.finished;
});
