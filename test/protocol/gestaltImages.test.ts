import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { docker } from '../support/container/docker.ts';
import { sessionRelay, startGestaltd } from '../support/gestalt/gestaltd.ts';
import { startRegistry } from '../support/gestalt/registry.ts';
import { patient, readySession, type Session } from '../support/gestalt/sessions.ts';
import { shortest, took } from '../support/process/shortest.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });
beforeAll(sessionRelay);

const auths = (host: string, entry: object) => ({
  imagePullAuth: { dockerConfigJson: JSON.stringify({ auths: { [host]: entry } }) },
});
const encoded = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

test('an image is pulled with the credentials of its registry, told in the log, and with no others', async () => {
  const { image, host, served } = await startRegistry('reader', 'pass:word');
  onTestFinished(() => docker('rmi', image).then(() => undefined));
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  for (const wrong of [
    {},
    auths(host, encoded('reader:other')),
    auths('registry.example.com', encoded('reader:pass:word')),
  ]) {
    const refused = await readySession(gestaltd, image, wrong);
    expect(refused).toMatchObject({ state: 'failed', stateReason: 'image' });
    expect(served).toEqual([]);
    // What was given is in no log and no answer.
    expect(JSON.stringify([refused, gestaltd.logs(refused.id), gestaltd.printed()])).not.toContain('other');
  }
  const pulled = await readySession(
    gestaltd,
    image,
    auths(`https://${host}/v2/`, encoded('reader:pass:word')),
  );
  expect(pulled).toMatchObject({
    state: 'ready',
    metadata: { 'runtime.actualImage': expect.stringMatching(/^sha256:/) },
  });
  expect(served).toContain('/v2/private/manifests/1');
  await expect
    .poll(() =>
      gestaltd
        .logs(pulled.id)
        .map(({ message }) => message)
        .join('\n'),
    )
    .toMatch(/private:1: .*Pull complete[\s\S]*Downloaded newer image/);
});

test('a session is stopped at once while its image is being pulled', async () => {
  const registry = await startRegistry('reader', 'word');
  registry.hang();
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const blobs = () => registry.served.filter((path) => path.includes('/blobs/')).length;
  const stop = async () => {
    const before = blobs();
    const { id, state } = await gestaltd.call<Session>('StartSession', {
      pluginName: 'x',
      image: registry.image,
      ...auths(registry.host, { username: 'reader', password: 'word' }),
    });
    expect(state).toBe('pending');
    await expect.poll(blobs, patient).toBeGreaterThan(before);
    const ms = await took(() => gestaltd.call('StopSession', { sessionId: id }));
    expect(await gestaltd.call('GetSession', { sessionId: id })).toMatchObject({ state: 'stopped' });
    return ms;
  };
  expect(await shortest(3000, stop)).toBeLessThan(3000);
});
