import { expect, test } from 'vitest';
import type { InstanceSpec, Mount } from '../../../../../src/host/engine/engine.ts';
import { fits } from '../../../../../src/host/gateway/workers/fits.ts';

const folder = (target: string): Mount => ({ target, readOnly: true, from: { type: 'folder', path: '/x' } });
const memory = (target: string, bytes: number): Mount => ({
  target,
  readOnly: false,
  from: { type: 'memory', bytes },
});
const waiting = {
  image: 'sha256:1',
  entrypoint: undefined,
  guest: undefined,
  egress: 'internet',
  mounts: [folder('/bot'), folder('/run/secrets'), memory('/state', 1000)],
} as unknown as InstanceSpec;
const wanted = (more: Partial<InstanceSpec>) => ({ ...waiting, ...more });

test.each<[string, Partial<InstanceSpec>, boolean]>([
  ['the same', {}, true],
  ['a secret below a place, less memory', { mounts: [folder('/run/secrets/a'), memory('/state', 10)] }, true],
  ['other limits', { resources: {} as InstanceSpec['resources'] }, true],
  ['another image', { image: 'sha256:2' }, false],
  ['no egress', { egress: 'none' }, false],
  ['egress to some', { egress: ['10.0.0.0/8'] }, false],
  ['an entrypoint', { entrypoint: ['/bin/sh'] }, false],
  ['a folder elsewhere', { mounts: [folder('/opt')] }, false],
  ['a folder whose name begins so', { mounts: [folder('/bother')] }, false],
  ['a folder that can be written', { mounts: [{ ...folder('/bot'), readOnly: false }] }, false],
  ['more memory than there is room for', { mounts: [memory('/state', 1001)] }, false],
  ['memory below a place', { mounts: [memory('/state/x', 1)] }, false],
])('%s: %#', (_what, more, answer) => {
  expect(fits(waiting, wanted(more))).toBe(answer);
});
