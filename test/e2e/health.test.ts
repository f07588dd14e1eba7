import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, universalImage } from '../support/container/docker.ts';
import { freePort } from '../support/process/freePort.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('the images’ health check', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  const sleeper = {
    kind: 'python3.11',
    entrypoint: 'main.py',
    files: {
      'main.py': 'import time\nprint("running", flush=True)\ntime.sleep(600)\n',
      'query.py': 'import time\ntime.sleep(600)\n',
    },
  };

  test('follows the query server of a realtime bot', async () => {
    const realtime = {
      ...(await bots.deploy(sleeper)),
      BOT_TYPE: 'realtime',
      QUERY_ENTRYPOINT: 'query.py',
      QUERY_PORT: String(await freePort()),
    };
    await using container = await startContainer({ image: image.tag, env: realtime });
    await container.waitForOutput('running');
    while (!(await isHealthy(container))) await sleep(100);

    // One that hangs and one that is gone.
    const server = (await docker('top', container.name, '-eo', 'pid,args'))
      .split('\n')
      .find((line) => line.includes('--query-server-only'));
    const pid = Number(server?.trim().split(/\s+/)[0]);
    process.kill(pid, 'SIGSTOP');
    expect(await isHealthy(container)).toBe(false);
    process.kill(pid, 'SIGKILL');
    while (!(await isHealthy(container))) await sleep(100);
  });

  test('is content with any other bot that runs', async () => {
    await using container = await startContainer({ image: image.tag, env: await bots.deploy(sleeper) });
    await container.waitForOutput('running');
    expect(await isHealthy(container)).toBe(true);
  });
});

/** Runs the image's own check in the container, as the engine would. */
async function isHealthy({ name }: Container): Promise<boolean> {
  const configured = await docker('inspect', '--format', '{{json .Config.Healthcheck.Test}}', name);
  const [, ...command] = JSON.parse(configured) as string[];
  return docker('exec', name, ...command).then(
    () => true,
    () => false,
  );
}
