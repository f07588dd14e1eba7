import { expect } from 'vitest';
import { RuntimeError } from '../../src/base/errors.ts';
import type { KubeRequest } from '../../src/host/kubernetes/kubeClient.ts';
import { openClusterRecords } from '../../src/host/loop/openClusterRecords.ts';
import type { Recorded } from '../../src/host/reconcile/recorded.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/testNamespace.ts';

const open = (space: TestNamespace, host = 'h', forgetting = async () => {}) =>
  openClusterRecords({
    client: space.client,
    namespace: space.name,
    host,
    forgetting,
    signal: AbortSignal.timeout(60_000),
  });
const failed = (failures: number): Recorded => ({ version: 1, failures });

kubeTest(
  'what is recorded of a bot is there for the next replica, and gone when it is forgotten',
  async () => {
    await using space = await testNamespace();
    const { records } = await open(space);
    await records.put('momentum', failed(1));
    await records.put('momentum', failed(2));
    // Ids that no object may have as its name, and that differ by what a name leaves out.
    await records.put('A.b_c', failed(3));
    await records.put('a.b_c', failed(4));
    const next = (await open(space)).records;
    expect([...next.bots()].sort()).toEqual(['A.b_c', 'a.b_c', 'momentum']);
    expect(next.get('momentum')).toEqual(failed(2));
    expect([next.get('A.b_c').failures, next.get('a.b_c').failures]).toEqual([3, 4]);
    expect((await open(space, 'other')).records.bots()).toEqual([]);
    await next.forget('momentum');
    await next.forget('momentum');
    expect((await open(space)).records.get('momentum')).toEqual({ version: 1, failures: 0 });
  },
);

kubeTest('a replica that knows less than is recorded writes nothing', async () => {
  await using space = await testNamespace();
  const old = (await open(space)).records;
  await old.put('momentum', failed(1));
  const next = (await open(space)).records;
  await next.put('momentum', failed(2));
  await expect(old.put('momentum', failed(9))).rejects.toMatchObject({ code: 'fenced' });
  await expect((await open(space)).records.put('momentum', failed(3))).resolves.toBeUndefined();
  const fresh = (await open(space)).records;
  expect(fresh.get('momentum')).toEqual(failed(3));
  // One that has read nothing of a bot that another has recorded meanwhile.
  const [one, two] = [(await open(space)).records, (await open(space)).records];
  await one.put('new', failed(1));
  await expect(two.put('new', failed(5))).rejects.toMatchObject({ code: 'fenced' });
});

kubeTest('writes whose answers were lost are known again', async () => {
  await using space = await testNamespace();
  let cut = false;
  const lossy = {
    ...space.client,
    call: async <T>(request: KubeRequest): Promise<T> => {
      const answer = await space.client.call<T>(request);
      if (cut && request.method !== 'GET') throw new RuntimeError('unavailable', 'cut');
      return answer;
    },
  };
  const { records } = await open({ ...space, client: lossy } as TestNamespace);
  for (const known of [false, true]) {
    const bot = known ? 'known' : 'new';
    if (known) await records.put(bot, failed(0));
    cut = true;
    // Several in a row: the second is written over what the first has left, and is not answered either.
    for (const failures of [1, 2, 3])
      await expect(records.put(bot, failed(failures))).rejects.toMatchObject({ code: 'unavailable' });
    cut = false;
    await records.put(bot, failed(4));
    expect((await open(space)).records.get(bot)).toEqual(failed(4));
  }
});

kubeTest(
  'what has to stay is not forgotten, and a record that cannot be read leaves its bot alone',
  async () => {
    await using space = await testNamespace();
    const { records } = await open(space, 'h', async () => {
      throw new Error('its state is not saved');
    });
    await records.put('momentum', failed(1));
    await expect(records.forget('momentum')).rejects.toThrow('not saved');
    expect((await open(space)).records.get('momentum')).toEqual(failed(1));
    await space.client.call({
      op: 'test',
      subject: 'test',
      method: 'PATCH',
      path: `/api/v1/namespaces/${space.name}/configmaps/rt-record-momentum`,
      contentType: 'application/merge-patch+json',
      body: { data: { record: '{"version":7}' } },
      signal: AbortSignal.timeout(30_000),
    });
    const { damaged } = await open(space);
    expect(damaged.get('momentum')).toMatch(/version 7.*rt-record-momentum/);
  },
);
