import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { docker, dockerWithInput, universalImage } from '../../support/container/docker.ts';
import { ownName } from '../../support/host/ownName.ts';
import { type RealHost, realHost } from '../../support/host/realHost.ts';
import { type Minio, startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

const bot = (name: string) => `
name: ${name}
type: realtime
runtime: command
entrypoints: {bot: 'while true; do sleep 1; done'}
restart: {backoff: 1s..1s}
`;

/** Real containers of a real host that is killed with SIGKILL, and an image that is built anew under the same name. */
describe.skipIf(image.missing !== undefined)('an image that is built anew', { timeout: 300_000 }, () => {
  const names = ['a', 'b', 'c'].map(ownName);
  const tag = `runtime-test-waves:${randomBytes(4).toString('hex')}`;
  let minio: Minio;
  let host: RealHost;
  beforeEach(async () => {
    minio = await startMinio({ address: '0.0.0.0', quiet: true });
    await build('');
    host = await realHost({ image: tag, minio });
    for (const name of names) host.write({ [`${name}/bot.yaml`]: bot(name), [`${name}/code`]: name });
    await host.start();
    await until(async () => expect(await running()).toEqual(names));
  }, 240_000);
  afterEach(async () => {
    await host?.[Symbol.asyncDispose]();
    await minio?.stop();
    await docker('rmi', '-f', ...built.splice(0));
  });

  const built: string[] = [];
  const build = async (more: string) => {
    await dockerWithInput(
      `FROM ${image.tag}\nLABEL one=${randomBytes(4).toString('hex')}\n${more}`,
      ...['build', '--quiet', '--tag', tag, '-'],
    );
    built.push(await idOf());
  };
  const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 120_000, interval: 300 });
  const running = async () =>
    (await host.list()).filter(({ state }) => state === 'running').map(({ name }) => name);
  const images = async () =>
    (await docker('inspect', '-f', '{{.Image}}', ...names.map((name) => `rt-${name}`))).trim().split('\n');
  const idOf = async () => (await docker('image', 'inspect', '-f', '{{.Id}}', tag)).trim();
  /** Bots in the order in which they were asked to end. */
  const asked = async () =>
    (await host.events()).filter(({ type }) => type === 'stopping').map((event) => event.bot);

  test('replaces what runs, one before the others', async () => {
    await build('');
    const id = await idOf();
    await until(async () => expect(await images()).toEqual([id, id, id]));
    const events = await host.events();
    const at = (type: string, which: number) => events.filter((event) => event.type === type)[which]?.id ?? 0;
    expect(await asked()).toHaveLength(3);
    // The second is asked to end after the first has been started again: three had been started before.
    expect(at('stopping', 1)).toBeGreaterThan(at('started', 3));
  });

  test('and does not work reaches one bot, however often the host is killed, until there is one that does', async () => {
    await build('ENTRYPOINT ["/bin/false"]\n');
    await until(async () => expect(await asked()).toHaveLength(1));
    for (let i = 0; i < 3; i++) {
      await host.kill();
      await host.start();
      // It has looked at all of them, and at the one that fails.
      await until(async () => expect((await host.list()).length).toBe(3));
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await until(async () => expect((await running()).length).toBeGreaterThanOrEqual(2));
      expect(await asked()).toHaveLength(1);
    }
    await build('');
    const id = await idOf();
    await until(async () => expect(await images()).toEqual([id, id, id]));
    await until(async () => expect(await running()).toEqual(names));
  });
});
