import { expect } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { signal, testEngine } from '../support/kubernetes/testEngine.ts';

kubeTest('an instance is made, started once, ends with its code, and goes with its Secret', async () => {
  await using test = await testEngine();
  const { engine, space } = test;
  await engine.list(signal());
  const script = 'id -u; echo "$PLAIN $HIDDEN"; cat /keys/a; exit 7';
  await engine.create(
    test.spec('rt-one', script, {
      env: { PLAIN: 'p' },
      secretEnv: { HIDDEN: new Secret('h') },
      mounts: [{ target: '/keys', readOnly: true, from: { type: 'files' } }],
      files: { '/keys': { a: new Secret('from a file\n') } },
    }),
    signal(),
  );
  expect(await engine.inspect('rt-one', signal())).toMatchObject({ state: 'created', startedAt: undefined });
  await expect(engine.create(test.spec('rt-one', ''), signal())).rejects.toMatchObject({ code: 'conflict' });
  await engine.start('rt-one', signal());
  await expect(engine.start('rt-one', signal())).rejects.toMatchObject({ code: 'conflict' });
  const ended = await test.until('rt-one', 'ended');
  expect(ended).toMatchObject({ bot: 'rt-one', role: 'bot', hash: 'h1', exitCode: 7 });
  expect(ended.takenAway).toBeUndefined();
  let text = '';
  for await (const { bytes } of engine.logs('rt-one', { tail: undefined, follow: false }, signal()))
    text += Buffer.from(bytes);
  expect(text).toBe('200001\np h\nfrom a file\n');

  const secrets = resource<KubeObject>(space.client, { api: 'v1', plural: 'secrets', namespace: space.name });
  const pods = resource<KubeObject>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
  const { annotations = {} } = (await pods.get('rt-one', signal()))!.metadata;
  const secret = annotations['runtime/secret'] ?? '';
  expect((await secrets.get(secret, signal()))?.metadata.ownerReferences?.[0]?.name).toBe('rt-one');
  await engine.retire('rt-one', 'rtd-x', signal());
  expect(await engine.inspect('rt-one', signal())).toBeUndefined();
  while (await secrets.get(secret, signal())) await new Promise((again) => setTimeout(again, 100));
});

kubeTest('a stop lets it end in order; it stays until it is let go, and a kill does not wait', async () => {
  await using test = await testEngine();
  const { engine } = test;
  const orderly = 'trap "exit 3" TERM; while :; do sleep 0.1; done';
  await test.run('rt-orderly', orderly);
  await test.run('rt-deaf', 'trap "" TERM; while :; do sleep 0.1; done');
  await test.until('rt-orderly', 'running');
  await test.until('rt-deaf', 'running');
  await expect(engine.remove('rt-orderly', signal())).rejects.toMatchObject({ code: 'conflict' });
  await engine.stop('rt-orderly', 5_000, signal());
  await engine.kill('rt-deaf', signal());
  expect(await test.until('rt-orderly', 'ended')).toMatchObject({ exitCode: 3 });
  expect(await test.until('rt-deaf', 'ended')).toMatchObject({ exitCode: 137 });
  await engine.remove('rt-orderly', signal());
  await engine.remove('rt-deaf', signal());
  expect(await engine.list(signal())).toEqual([]);
});

kubeTest('what others delete, by force too, is there until it has ended and was looked at', async () => {
  await using test = await testEngine();
  const { engine, space } = test;
  const pods = resource<KubeObject>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
  await test.run('rt-taken', 'trap "exit 0" TERM; while :; do sleep 0.1; done');
  await test.until('rt-taken', 'running');
  const told: (string | undefined)[] = [];
  const over = new AbortController();
  const watch = await engine.watch((name) => void told.push(name), over.signal);
  await pods.remove('rt-taken', { graceSeconds: 0 }, signal());
  const ended = await test.until('rt-taken', 'ended');
  expect(ended).toMatchObject({ takenAway: 'deleted' });
  await expect.poll(() => told).toContain('rt-taken');
  await engine.remove('rt-taken', signal());
  await test.untilGone('rt-taken');
  over.abort();
  await watch.ended;
  // A name that a pod cannot have.
  await test.run('rt-With_Odd.Name', 'exit 0');
  expect(await test.until('rt-With_Odd.Name', 'ended')).toMatchObject({
    name: 'rt-With_Odd.Name',
    exitCode: 0,
  });
});

kubeTest('an image that cannot be had is said, and a foreign pod is not touched', async () => {
  await using test = await testEngine();
  const { engine, space } = test;
  await test.run('rt-none', '', { image: 'runtime.invalid/none:1' });
  await test.when('rt-none', ({ error }) => /Err|BackOff/.test(error ?? ''));
  await engine.kill('rt-none', signal());
  await test.until('rt-none', 'ended');
  const pods = resource<KubeObject>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
  const body = (await pods.get('rt-none', signal()))! as KubeObject & { spec: object };
  const { nodeName: _, ...spec } = body.spec as { nodeName?: string };
  await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'rt-foreign' }, spec }, signal());
  expect(await engine.inspect('rt-foreign', signal())).toBeUndefined();
  expect(await engine.isTaken('rt-foreign', signal())).toBe(true);
  expect(await engine.isTaken('rt-nobodys', signal())).toBe(false);
  await engine.remove('rt-foreign', signal());
  expect(await pods.get('rt-foreign', signal())).toBeDefined();
  await expect(engine.create(test.spec('rt-foreign', ''), signal())).rejects.toMatchObject({
    code: 'conflict',
  });
});

kubeTest(
  'files that come by value are replaced for those that run; who is let in is not who asks for more',
  async () => {
    await using test = await testEngine();
    const { engine, space } = test;
    const mounts = [{ target: '/keys', readOnly: true, from: { type: 'files' as const } }];
    const given = (text: string) => ({ '/keys': { a: new Secret(text) } });
    await engine.list(signal());
    const script = 'while [ "$(cat /keys/a)" != new ]; do sleep 0.2; done';
    await test.run('rt-keys', script, { bot: 'b', mounts, files: given('old'), filesUntil: 1_000 });
    await test.run('rt-other', 'sleep 600', { bot: 'c', mounts, files: given('its own'), filesUntil: 1_000 });
    const files = { a: new Secret('new') };
    const pods = resource<KubeObject>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
    const secrets = resource<KubeObject & { data: Record<string, string> }>(space.client, {
      api: 'v1',
      plural: 'secrets',
      namespace: space.name,
    });
    const inside = async (pod: string) => {
      const { annotations = {} } = (await pods.get(pod, signal()))!.metadata;
      const { data } = (await secrets.get(annotations['runtime/secret'] ?? '', signal()))!;
      return Object.values(data).map((text) => Buffer.from(text, 'base64').toString());
    };
    await test.until('rt-keys', 'running');
    await engine.replaceFiles?.({ bot: 'b', roles: ['bot'], target: '/keys', files, until: 2_000 }, signal());
    expect(await inside('rt-keys')).toEqual(['new']);
    expect(await inside('rt-other')).toEqual(['its own']);
    expect((await engine.inspect('rt-keys', signal()))?.filesUntil).toBe(2_000);

    // And seen inside, by what has been running all the time.
    expect(await test.until('rt-keys', 'ended')).toMatchObject({ exitCode: 0 });

    const { spec } = (await pods.get('rt-keys', signal())) as KubeObject & { spec: Record<string, unknown> };
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(JSON.stringify(spec.volumes)).not.toMatch(/serviceAccountToken|hostPath/);
    // Negative control: the namespace takes nothing that asks for more than "restricted" allows.
    const bold = { containers: [{ name: 'bot', image: 'x', securityContext: { privileged: true } }] };
    await expect(
      pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'rt-bold' }, spec: bold }, signal()),
    ).rejects.toMatchObject({ code: 'denied' });
  },
);
