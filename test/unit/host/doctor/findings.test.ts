import { expect, test } from 'vitest';
import { mountOf, quota } from '../../../../src/host/doctor/disk.ts';
import { type EngineInfo, engineFindings } from '../../../../src/host/doctor/engine.ts';
import { leftoverFindings } from '../../../../src/host/doctor/leftovers.ts';
import { limitFinding } from '../../../../src/host/doctor/limits.ts';
import { places } from '../../../../src/host/doctor/networks.ts';
import { hostFindings } from '../../../../src/host/doctor/otherHosts.ts';
import { passChain } from '../../../../src/host/engine/docker/networks/passThroughDocker.ts';
import { tableName } from '../../../../src/host/engine/docker/networks/ruleset.ts';

const good: EngineInfo = {
  ServerVersion: '20.10.24',
  CgroupVersion: '2',
  LiveRestoreEnabled: true,
  SecurityOptions: ['name=seccomp,profile=default'],
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
};
const wrong = (info: Partial<EngineInfo>) =>
  engineFindings({ ...good, ...info })
    .filter(({ status }) => status !== 'ok')
    .map(({ check, hint }) => [check, hint !== undefined]);

test('an engine that does all of it; one that lacks something, each with a remedy', () => {
  expect(wrong({})).toEqual([]);
  expect(wrong({ LiveRestoreEnabled: false })).toEqual([['live-restore', true]]);
  expect(wrong({ SwapLimit: false })).toEqual([['limits of containers', true]]);
  expect(wrong({ SecurityOptions: null })).toEqual([['seccomp', true]]);
  expect(wrong({ SecurityOptions: ['name=seccomp,profile=unconfined'] })).toEqual([['seccomp', true]]);
});

test('the mount of a folder is the innermost', () => {
  const mounts =
    '/dev/a / ext4 rw 0 0\n/dev/b /var/lib xfs rw,prjquota 0 0\n/dev/c /var/library ext4 rw 0 0\n';
  expect(mountOf('/var/lib/runtime', mounts).path).toBe('/var/lib');
  expect(mountOf('/var/library', mounts).path).toBe('/var/library');
  expect(mountOf('/srv', mounts).path).toBe('/');
  expect(quota(mountOf('/srv', mounts)).hint).toContain('of its own');
  expect(quota(mountOf('/var/lib/runtime', mounts)).hint).not.toContain('of its own');
});

test('limits, and subnets for bridges', () => {
  const limit = { name: 'neighbours', file: 'net/ipv4/neigh/default/gc_thresh3', least: 8192, why: 'x' };
  expect(limitFinding(limit, 8192).status).toBe('ok');
  expect(limitFinding(limit, 1024).hint).toBe('sysctl -w net.ipv4.neigh.default.gc_thresh3=8192');
  expect(limitFinding(limit, undefined).status).toBe('warn');
  expect(places('198.18.4.0/22').message).toContain('4 of 4 subnets');
  expect(() => places('198.18.4.0/30')).toThrow(/is not a pool/);
});

test('rules of hosts that have a bridge are no leftovers; all others are, each sort with what removes it', () => {
  const seen = {
    rules: [
      '-P INPUT ACCEPT',
      '-N DOCKER-USER',
      `-N ${passChain('here')}`,
      `-N ${passChain('gone')}`,
      `-A DOCKER-USER -j ${passChain('gone')}`,
    ].join('\n'),
    tables: `table ip filter\ntable inet ${tableName('here')}\ntable inet ${tableName('gone')}\n`,
  };
  const findings = leftoverFindings({ ...seen, hosts: new Set(['here']) });
  expect(findings.map(({ status }) => status)).toEqual(['warn', 'warn']);
  expect(findings[0]!.message).toContain(
    `1 chains in DOCKER-USER are of hosts that are gone: ${passChain('gone')}`,
  );
  expect(findings[1]!.message).toContain(tableName('gone'));
  expect(findings[1]!.hint).toContain('nft delete table');
  expect(leftoverFindings({ ...seen, hosts: new Set(['here', 'gone']) })).toEqual([]);
});

test('hosts of the store: which have bots, which are silent or have ended, and which are copies', () => {
  const now = 10_000_000;
  const host = (key: string, id: string, machine: string) => ({
    key,
    host: id,
    engine: 'e',
    machine,
    name: machine,
  });
  const rows = [
    host('1', 'aaa', 'm1'),
    host('2', 'bbb', 'm2'),
    host('3', 'ccc', 'm3'),
    host('4', 'ddd', 'm4'),
  ];
  const table = {
    hosts: new Map(rows.map((row) => [row.key, row])),
    owners: new Map([
      ['x', ['1']],
      ['y', ['1']],
      ['z', ['2']],
    ]),
  };
  const heard = new Map([
    ['1', now - 60_000],
    ['2', now - 301_000],
  ]);
  const found = hostFindings({ table, heard, now, own: 'ddd' });
  expect(found.map(({ status, message }) => [status, message])).toEqual([
    ['ok', 'host aaa on m1 has 2 bots'],
    ['warn', expect.stringMatching(/^host bbb on m2 has 1 bots, and was last heard of at /)],
    ['warn', expect.stringContaining('has ended')],
    // With this very data folder.
    ['ok', 'host ddd on m4 has 0 bots'],
  ]);
  expect(found[1]?.hint).toContain('runtime host remove --id bbb');
  const copies = [host('1', 'aaa', 'm1'), host('2', 'aaa', 'm2')];
  const twice = { hosts: new Map(copies.map((row) => [row.key, row])), owners: new Map() };
  const both = new Map([
    ['1', now],
    ['2', now],
  ]);
  expect(hostFindings({ table: twice, heard: both, now, own: 'aaa' }).map(({ status }) => status)).toEqual([
    'warn',
    'warn',
  ]);
  expect(
    hostFindings({ table: { hosts: new Map(), owners: new Map() }, heard: both, now, own: undefined }),
  ).toMatchObject([{ status: 'ok' }]);
});
