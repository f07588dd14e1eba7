import { expect, inject, test } from 'vitest';
import { containerBots } from '../../support/container/containerBots.ts';
import { newContainer, startRuntime } from '../../support/process/executable.ts';
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
