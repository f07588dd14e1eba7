import { describe, expect, it } from 'vitest';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { type Materials, template } from '../../../../src/host/instances/template.ts';
import { aSchedule, aSpec } from '../../../support/host/aSpec.ts';

const materials: Materials = {
  image: 'sha256:1',
  codeSha256: 'c'.repeat(64),
  codeFolder: '/data/code/c',
  folders: createFolders('/data').bot('momentum'),
  user: { uid: 200_000, gid: 200_000 },
  credentials: { env: {}, mounts: [] },
  shared: {},
};
const hash = (changes: Parameters<typeof aSpec>[0], more: Partial<Materials> = {}) =>
  template(aSpec(changes), { ...materials, ...more }).hash;

describe('the hash of what an instance is made of', () => {
  const usual = hash({});

  it.each([
    ['its labels', { labels: { team: 'alpha' } }],
    ['whether it is enabled', { enabled: false }],
    ['its schedule', { schedule: aSchedule() }],
    ['how it is restarted', { restart: { policy: 'never', firstMs: 1, longestMs: 2, resetMs: 3 } }],
  ] as const)('stays as it is with %s', (_, changes) => {
    expect(hash(changes)).toBe(usual);
  });

  it('is another one with whatever makes the container', () => {
    const all = [
      usual,
      hash({ config: '{"a":1}' }),
      hash({ env: { A: '1' } }),
      hash({ egress: 'none' }),
      hash({ secrets: ['binance'] }),
      hash({ stopTimeoutMs: 1_000 }),
      hash({ resources: { ...aSpec().resources, memoryBytes: 2 ** 30 } }),
      hash({}, { image: 'sha256:2' }),
      hash({}, { codeSha256: 'd'.repeat(64) }),
      hash({}, { shared: { SYNC_INTERVAL: '5s' } }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('leaves the labels on the container all the same', () => {
    expect(template(aSpec({ labels: { team: 'alpha' } }), materials).labels).toEqual({ team: 'alpha' });
  });
});

it('has the disk of a sandbox also where clients look that do not ask, but for images that may have something there', () => {
  const places = (more: Partial<Materials> = {}, spec = aSpec({ sandbox: { image: undefined } })) =>
    template(spec, { ...materials, ...more })
      .mounts.filter(({ from }) => from.type === 'folder' && from.path === materials.folders.state)
      .map(({ target }) => target);
  expect(places()).toEqual(['/workspace', '/home/user', '/home/agent']);
  expect(places({ ownRuntime: { entrypoint: [], mounts: [] } as never })).toEqual(['/workspace']);
  expect(places({}, aSpec({}))).toEqual(['/state']);
});
