import { expect, inject, test } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { readConfig } from '../../src/bot/config/readConfig.ts';
import { examineHost } from '../../src/host/doctor/examineHost.ts';
import type { HostPatient } from '../../src/host/doctor/patient.ts';
import { defaultNetworks } from '../../src/host/engine/docker/networks/networkOptions.ts';
import { baseImage } from '../support/container/docker.ts';
import { canMount } from '../support/container/mountTmpfs.ts';
import { startFaultProxy } from '../support/store/faultProxy.ts';
import { minioEnv } from '../support/store/minio.ts';

const { tag: image, missing } = await baseImage();
const minio = inject('minio');

async function examine(changes: Partial<HostPatient> = {}) {
  const config = await readConfig(minioEnv(minio), {
    role: 'operator',
    knownKinds: [],
    uid: 0,
    isTTY: false,
  });
  const findings = await examineHost({
    driver: 'docker',
    namespace: '',
    env: {},
    config: async () => config,
    socket: undefined,
    networks: defaultNetworks,
    image,
    data: '/var/lib/not-there-yet',
    now: Date.now,
    signal: AbortSignal.timeout(30_000),
    ...changes,
  });
  return new Map(findings.map((finding) => [finding.check, finding]));
}

test.skipIf(missing || !canMount)(
  'a machine that can be a host: nothing fails, and every warning has a remedy',
  async () => {
    const findings = await examine();
    expect([...findings.keys()]).toEqual(
      expect.arrayContaining([
        'engine',
        'live-restore',
        'image',
        'packet filter',
        'bridges',
        'places',
        'store',
        'clock',
        'keys of bots',
        'disk',
        'disk quota',
        'neighbours',
      ]),
    );
    for (const { status, hint, check } of findings.values()) {
      expect(status, check).not.toBe('fail');
      if (status === 'warn') expect(hint, check).toBeTruthy();
    }
    expect(findings.get('engine')?.message).toMatch(/^Docker Engine \d+/);
    expect(findings.get('image')?.message).toContain('sha256:');
    expect(findings.get('keys of bots')?.status).toBe('ok');
  },
);

test('what is not there is said, and hides nothing else', async () => {
  const findings = await examine({
    socket: '/no/such.sock',
    networks: { type: 'existing', name: 'the0' },
  });
  expect(findings.get('engine')).toMatchObject({ status: 'fail', exit: 69 });
  expect(findings.get('networks')).toMatchObject({ status: 'warn' });
  expect(findings.get('store')).toMatchObject({ status: 'ok' });
});

test('without a store, or with one that no bot reaches, all else is looked at all the same', async () => {
  const config = (env: Record<string, string>) => () =>
    readConfig(env, { role: 'operator', knownKinds: [], uid: 0, isTTY: false });
  for (const env of [{}, { STORE_URL: 'file:///var/lib/store' }]) {
    const findings = await examine({ config: config(env) });
    expect(findings.get('store')).toMatchObject({ status: 'fail', exit: 78 });
    expect(findings.get('store')?.hint ?? findings.get('store')?.message).toContain('MINIO_ENDPOINT');
    expect([...findings.keys()]).toEqual(expect.arrayContaining(['engine', 'disk', 'processes']));
  }
});

test('a store that narrows no keys, one that knows not ours, and one that is away', async () => {
  const proxy = await startFaultProxy(minio.port);
  const config = await readConfig(
    { ...minioEnv(minio), MINIO_ENDPOINT: proxy.endpoint },
    { role: 'operator', knownKinds: [], uid: 0, isTTY: false },
  );
  proxy.inject({ when: ({ method }) => method === 'POST', fault: { status: 501, code: 'NotImplemented' } });
  expect((await examine({ config: async () => config })).get('keys of bots')).toMatchObject({
    status: 'warn',
  });
  const store = { ...config.store, secretKey: new Secret('another-secret-key') } as typeof config.store;
  expect((await examine({ config: async () => ({ ...config, store }) })).get('keys of bots')).toMatchObject({
    status: 'fail',
  });
  await proxy.close();
  expect((await examine({ config: async () => config })).get('store')).toMatchObject({
    status: 'fail',
    exit: 69,
  });
});
