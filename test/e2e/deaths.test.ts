import { beforeAll, describe, expect, inject, test } from 'vitest';
import { readProcessTable } from '../../src/base/process/processTree.ts';
import { type Container, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { freePort } from '../support/process/freePort.ts';
import { waitForRole } from '../support/process/waitForRole.ts';
import { scaled } from '../support/scale.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('deaths in containers', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  async function counter() {
    const env = await bots.deploy({ kind: 'command', entrypoint: countsLives, files: { none: '' } });
    return { ...env, SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' };
  }

  test('the supervisor is killed: the container ends, and started again it goes on from its own newer state', async () => {
    await using container = await startContainer({ image: image.tag, env: await counter() });
    for (let life = 1; life <= scaled(2); life += 1) {
      await container.waitForOutput(`life ${life}`);
      process.kill(await supervisorOf(container), 'SIGKILL');
      const { exit, exitRecord } = await container.ended();
      expect(exit).toBe(137);
      expect(exitRecord).toBeUndefined();
      await docker('start', container.name);
    }
    await container.waitForOutput(`life ${scaled(2) + 1}`);
    await container.stop(30);
    expect(await container.ended()).toMatchObject({ exit: 0, exitRecord: { exit: 0, stateSaved: true } });
  });

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: hardened },
  ])('daemon, query server and guard are killed: the bot goes on ($how)', async ({ options }) => {
    const port = await freePort();
    const env = {
      ...(await counter()),
      BOT_TYPE: 'realtime',
      QUERY_PORT: String(port),
      QUERY_ENTRYPOINT: `exec node -e '${answersOne}'`,
    };
    await using container = await startContainer({ image: image.tag, env, ...options });
    await container.waitForOutput('life 1');
    const supervisor = await supervisorOf(container);
    const answers = async () =>
      (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status === 200;
    const killed: Partial<Record<'daemon' | 'query' | 'guard', number>> = {};
    for (let round = 0; round < scaled(2); round += 1) {
      await expect.poll(answers, { timeout: 30_000 }).toBe(true);
      for (const role of ['daemon', 'query', 'guard'] as const) {
        killed[role] = await waitForRole(supervisor, role, killed[role]);
        process.kill(killed[role], 'SIGKILL');
      }
    }
    await expect.poll(answers, { timeout: 30_000 }).toBe(true);
    await container.stop(30);
    expect(await container.ended()).toMatchObject({ exit: 0, stdout: 'life 1\n' });
    expect(await bots.keys('bot-state', `${env.BOT_ID}/`)).toContain(`${env.BOT_ID}/head`);
  });
});

const countsLives = `
cd /state; trap 'exit 0' TERM; n=$(($(cat lives 2>/dev/null || echo 0) + 1)); echo $n > lives
echo life $n; while :; do sleep 0.05; done`;

const answersOne =
  'require("http").createServer((_, to) => to.end(JSON.stringify({ status: "ok", data: 1 }))).listen(process.env.THE0_QUERY_PORT, "127.0.0.1")';

/** Its id out here: the child of the container's first process. */
async function supervisorOf(container: Container): Promise<number> {
  const first = Number(await docker('inspect', '--format', '{{.State.Pid}}', container.name));
  return readProcessTable().find(({ parent }) => parent === first)?.pid ?? Number.NaN;
}
