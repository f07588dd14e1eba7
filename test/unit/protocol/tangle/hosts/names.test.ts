import { expect, test } from 'vitest';
import { Secret } from '../../../../../src/base/secret.ts';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { healthy, hostsFile, named } from '../../../../support/serve/machines.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

/** A host that this server calls b, and that calls itself 0b0b. */
const theOther = () => frontTest({ key: new Secret('sk_member'), hosts: named('0b0b') });

test('a host is asked for by its own name as by the one that it has here; one that there is not is named', async () => {
  const b = await theOther();
  const front = await frontTest({
    hosts: named('0a0a'),
    hostsFile: await hostsFile([{ name: 'b', url: b.url }]),
  });
  await healthy(front, ['b']);
  const make = (driver: object) => front.ask('POST', '/v1/sandboxes', { driver });
  const counts = () => [front.sandboxes.asked.length, b.sandboxes.asked.length];
  expect((await make({ targetHostIds: ['0b0b'] })).status).toBe(201);
  expect((await make({ targetHostIds: ['b'] })).status).toBe(201);
  expect(counts()).toEqual([0, 2]);
  expect((await make({ targetHostIds: ['0a0a', 'b'], avoidHostIds: ['0b0b'] })).status).toBe(201);
  expect(counts()).toEqual([1, 2]);

  const unknown = { targetHostIds: ['b', 'c'] };
  const refused = await make(unknown);
  expect(refused).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
  expect(refused.body.fields['driver.targetHostIds']).toBe('there is no host c; there are: 0a0a, b');
  expect((await front.ask('POST', '/v1/ready', { driver: unknown })).status).toBe(400);
  expect(counts()).toEqual([1, 2]);
  const { hosts } = (await front.ask('GET', '/v1/hosts')).body;
  expect(hosts).toMatchObject([{ id: '0a0a' }, { name: 'b', id: '0b0b' }]);
});

test('what one that has not been heard of calls itself is not known, so nothing is called unknown', async () => {
  const front = await frontTest({
    hosts: named('0a0a'),
    hostsFile: await hostsFile([{ name: 'b', url: 'http://127.0.0.1:1' }]),
  });
  const asked = await front.ask('POST', '/v1/sandboxes', { driver: { targetHostIds: ['0b0b'] } });
  expect(asked).toMatchObject({ status: 503, body: { code: 'NO_CAPACITY' } });
});

test.each(['b', '0b0b'])('a sandbox is taken from a host by either of its names: %s', async (name) => {
  const taken: (string | undefined)[] = [];
  const b = await theOther();
  const sandboxes = modelSandboxes();
  const front = await frontTest({
    hosts: named('0a0a'),
    hostsFile: await hostsFile([{ name: 'b', url: b.url }]),
    sandboxes: {
      ...sandboxes,
      visit: async (_id, takeFrom) => {
        taken.push(takeFrom);
        return 'nowhere';
      },
    },
  });
  await healthy(front, ['b']);
  await front.ask('POST', '/v1/sandboxes/sbx-x/resume', { takeFrom: name });
  expect(new Set(taken)).toEqual(new Set(['0b0b']));
});
