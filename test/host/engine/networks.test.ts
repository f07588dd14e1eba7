import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { thisMachine } from '../../../src/host/engine/docker/networks/networkOptions.ts';
import { passChain } from '../../../src/host/engine/docker/networks/passThroughDocker.ts';
import { tableName } from '../../../src/host/engine/docker/networks/ruleset.ts';
import { runFilter } from '../../../src/host/engine/docker/networks/runFilter.ts';
import { baseImage, docker } from '../../support/container/docker.ts';
import { canMount } from '../../support/container/mountTmpfs.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { type Outside, startOutside } from '../../support/host/outside.ts';
import { signal, type TestDocker, testDocker } from '../../support/host/testDocker.ts';

const { tag: image, missing } = await baseImage();

/** Nobody's in the real world that a test reaches: all of them lie in a namespace of this machine. */
const [publicAddress, privateAddress, listedAddress, metadata] = [
  '45.45.45.2',
  '10.99.99.2',
  '203.0.113.2',
  '169.254.169.2',
];
const program = `use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ReuseAddr => 1) or die;
while ($c = $s->accept) { print $c "hello\\n"; close $c }`;
const listen = `exec perl -e '${program}'`;

/** Root rules the packet filter; a container that runs these tests may not. */
describe.skipIf(missing || !canMount)('networks of bots', { timeout: 180_000 }, () => {
  let host: TestDocker;
  let outside: Outside;
  let store: Server;
  let service: Server;
  const portOf = (server: Server) => (server.address() as { port: number }).port;
  const ourAddresses = () =>
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address);

  beforeAll(async () => {
    const answering = (word: string) =>
      createServer((socket) => socket.on('error', () => undefined).end(word));
    store = answering('store').listen(0, '0.0.0.0');
    service = answering('service').listen(0, '::');
    await Promise.all([once(store, 'listening'), once(service, 'listening')]);
    outside = await startOutside([publicAddress, privateAddress, listedAddress, metadata]);
    const reachable = [{ host: thisMachine, port: portOf(store) }];
    host = await testDocker({ image, networks: { type: 'own', reachable, pool: '10.231.0.0/16' } });
    await host.run('rt-a', listen);
    await host.run('rt-b', listen);
    await host.run('rt-none', listen, { egress: 'none' });
    await host.run('rt-listed', listen, { egress: ['203.0.113.0/24'] });
    for (const name of ['rt-a', 'rt-b', 'rt-none', 'rt-listed']) await untilListens(host, name);
  }, 180_000);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await outside?.[Symbol.asyncDispose]();
    store.close();
    service.close();
  });

  const reaches = (from: string, address: string, port: number) => connects(host, from, address, port);
  const untilReaches = (from: string, address: string, port: number) =>
    untilConnects(host, from, address, port);
  const addressOf = async (name: string) => (await host.engine.inspect(name, signal()))!.address!;

  test('bots reach the store on this machine, whatever else they may', async () => {
    for (const name of ['rt-a', 'rt-none', 'rt-listed']) await untilReaches(name, thisMachine, portOf(store));
  });

  test('bots reach neither each other nor a bot of another bridge, though this machine reaches all of them', async () => {
    for (const [from, to] of [
      ['rt-a', 'rt-b'],
      ['rt-b', 'rt-a'],
      ['rt-a', 'rt-none'],
      ['rt-none', 'rt-a'],
      ['rt-listed', 'rt-none'],
    ] as const)
      expect(await reaches(from, await addressOf(to), 7000), `${from} → ${to}`).toBe(false);
    for (const name of ['rt-a', 'rt-b', 'rt-none']) expect(await answerOf(host, name)).toBe('hello\n');
  });

  test('bots reach no service of this machine, on none of its addresses', async () => {
    const addresses = [thisMachine, ...ourAddresses()];
    expect(addresses.length).toBeGreaterThan(3);
    const reached = await Promise.all(addresses.map((address) => reaches('rt-a', address, portOf(service))));
    expect(addresses.filter((_, at) => reached[at])).toEqual([]);
    expect((await host.inside('rt-a', "grep -v ' lo$' /proc/net/if_inet6")).text).toBe('');
  });

  test('the outside: all of it but private networks; nothing; what is listed', async () => {
    const port = outside.port;
    const all = [publicAddress, privateAddress, listedAddress, metadata];
    for (const [name, allowed] of [
      ['rt-a', [publicAddress]],
      ['rt-none', []],
      ['rt-listed', [listedAddress]],
    ] as const) {
      for (const address of allowed) await untilReaches(name, address, port);
      const others = all.filter((address) => !allowed.some((one) => one === address));
      const reached = await Promise.all(others.map((address) => reaches(name, address, port)));
      expect(
        others.filter((_, at) => reached[at]),
        name,
      ).toEqual([]);
    }
  });

  test('negative control: on a plain bridge, all of that is reached', async () => {
    await using plain = await testDocker({ image, networks: { type: 'existing', name: 'bridge' } });
    await plain.run('rt-plain-a', listen);
    await plain.run('rt-plain-b', listen);
    await untilListens(plain, 'rt-plain-b');
    const other = (await plain.engine.inspect('rt-plain-b', signal()))!.address!;
    const from = (address: string, port: number) => untilConnects(plain, 'rt-plain-a', address, port);
    await from(other, 7000);
    await from(ourAddresses()[0]!, portOf(service));
    await from(privateAddress, outside.port);
    await from(metadata, outside.port);
  });

  test('a store in a network of its own is reached, and its neighbour there is not', async () => {
    const network = `${host.host}-store`;
    await docker('network', 'create', '--subnet', '10.99.98.0/24', network);
    try {
      const run = (name: string) =>
        docker('run', '--detach', '--rm', '--name', name, '--network', network, image, 'perl', '-e', program);
      await Promise.all([run(`${network}-1`), run(`${network}-2`)]);
      const address = async (name: string) =>
        JSON.parse(await docker('inspect', name))[0].NetworkSettings.Networks[network].IPAddress as string;
      const [theirs, neighbour] = [await address(`${network}-1`), await address(`${network}-2`)];
      await using third = await testDocker({
        image,
        networks: { type: 'own', reachable: [{ host: theirs, port: 7000 }], pool: '10.232.0.0/16' },
      });
      await third.run('rt-third', 'sleep 60', { egress: 'none' });
      await untilConnects(third, 'rt-third', theirs, 7000);
      expect(await connects(third, 'rt-third', neighbour, 7000)).toBe(false);
    } finally {
      await docker('rm', '--force', `${network}-1`, `${network}-2`);
      await docker('network', 'rm', network);
    }
  });

  test('the rules are back before anything starts when a host opens again, and old bridges are used on', async () => {
    const before = (
      await docker('network', 'ls', '--quiet', '--filter', `label=runtime.host=${host.host}`)
    ).split('\n');
    await runFilter('nft', ['delete', 'table', 'inet', tableName(host.host)]);
    await untilReaches('rt-a', privateAddress, outside.port);
    const reachable = [{ host: thisMachine, port: portOf(store) }];
    const again = await testDocker({
      image,
      host: host.host,
      networks: { type: 'own', reachable, pool: '10.231.0.0/16' },
    });
    try {
      await again.run('rt-late', 'sleep 60');
      expect(await reaches('rt-a', privateAddress, outside.port)).toBe(false);
      await untilReaches('rt-late', thisMachine, portOf(store));
      expect(
        (await docker('network', 'ls', '--quiet', '--filter', `label=runtime.host=${host.host}`)).split('\n'),
      ).toEqual(before);
    } finally {
      await again.engine.close();
    }
  });

  test('two hosts of the parts of the same bots make their first bridge at the same time: it is one, and both use it', async () => {
    const networks = { type: 'own' as const, reachable: [], pool: '10.232.0.0/16' };
    await using one = await testDocker({ image, networks });
    const other = await testDocker({ image, networks, host: one.host });
    try {
      await Promise.all([
        one.engine.create(one.spec(`${one.host}-a`, 'true'), signal()),
        other.engine.create(one.spec(`${one.host}-b`, 'true'), signal()),
      ]);
      expect((await one.engine.list(signal())).length).toBe(2);
    } finally {
      await other.engine.close();
    }
  });

  test('the subnet of a bridge that another engine has, or had, is not taken, although nothing is plugged into it', async () => {
    const bridge = 'rt-test-empty';
    const ip = (...args: string[]) => runFilter('ip', args);
    const gone = () => ip('link', 'del', bridge).catch(() => undefined);
    await gone();
    await ip('link', 'add', bridge, 'type', 'bridge');
    try {
      await ip('addr', 'add', '10.233.0.1/24', 'dev', bridge);
      await ip('link', 'set', bridge, 'up');
      const networks = { type: 'own' as const, reachable: [], pool: '10.233.0.0/23' };
      await using one = await testDocker({ image, networks });
      await one.engine.create(one.spec(`${one.host}-a`, 'true'), signal());
      const label = `label=runtime.host=${one.host}`;
      const [network = ''] = (await docker('network', 'ls', '--quiet', '--filter', label)).split('\n');
      const subnet = '{{range .IPAM.Config}}{{.Subnet}}{{end}}';
      expect((await docker('network', 'inspect', '-f', subnet, network)).trim()).toBe('10.233.1.0/24');
    } finally {
      await gone();
    }
  });

  test('a bridge that has been empty for an hour goes, and with the last one all rules of the host', async () => {
    const clock = fakeClock();
    const reachable = [{ host: thisMachine, port: portOf(store) }];
    const networks = { type: 'own' as const, reachable, pool: '10.234.0.0/16' };
    await using one = await testDocker({ image, networks, clock });
    const bridges = async () =>
      (await docker('network', 'ls', '--quiet', '--filter', `label=runtime.host=${one.host}`)).trim();
    const rules = async () => ({
      table: (await runFilter('nft', ['list', 'tables'])).includes(tableName(one.host)),
      pass: (await runFilter('iptables', ['-S'])).includes(passChain(one.host)),
    });
    const name = `${one.host}-a`;
    await one.engine.create(one.spec(name, 'true', { egress: ['203.0.113.0/24'] }), signal());
    await one.engine.list(signal());
    // As long as somebody is there, no time is too long.
    await clock.advance(2 * 3_600_000);
    await one.engine.list(signal());
    expect(await bridges()).not.toBe('');
    expect(await rules()).toEqual({ table: true, pass: true });
    await one.engine.remove(name, signal());
    await one.engine.list(signal());
    await expect
      .poll(
        async () => {
          await clock.advance(600_000);
          return { bridges: await bridges(), ...(await rules()) };
        },
        { timeout: 50_000, interval: 200 },
      )
      .toEqual({ bridges: '', table: false, pass: false });
    // And they come back with whoever needs them.
    await one.engine.create(one.spec(name, 'true'), signal());
    expect(await rules()).toEqual({ table: true, pass: true });
  });

  test('what is not a network gets nowhere near the packet filter', async () => {
    for (const network of ['::/0', '1.2.3.4/33', '1.2.3.4 } accept #', '1.2.3.4/8/9', 'example.org'])
      expect(
        await failureOf(host.engine.create(host.spec('rt-bad', 'true', { egress: [network] }), signal())),
      ).toBe('config');
  });
});

async function connects(host: TestDocker, from: string, address: string, port: number): Promise<boolean> {
  const script = `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null`;
  return (await host.inside(from, script)).exit === 0;
}

/** One try ends after 3 s, which a machine that stands still needs for itself. */
async function untilConnects(host: TestDocker, from: string, address: string, port: number): Promise<void> {
  await expect
    .poll(() => connects(host, from, address, port), {
      timeout: 40_000,
      interval: 300,
      message: `${from} → ${address}`,
    })
    .toBe(true);
}

async function answerOf(host: TestDocker, name: string): Promise<string> {
  const socket = await host.engine.dial(name, 7000, signal());
  socket.end();
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** What it was started with takes its time until it listens. */
async function untilListens(host: TestDocker, name: string): Promise<void> {
  await vi.waitFor(async () => expect(await answerOf(host, name)).toBe('hello\n'), {
    timeout: 40_000,
    interval: 300,
  });
}
