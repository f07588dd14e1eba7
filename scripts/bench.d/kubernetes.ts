import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { createKubeClient } from '../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../src/host/kubernetes/kubeconfig.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { apiProxy } from '../../test/support/kubernetes/apiProxy.ts';
import { FLEET_CODE, memoryOf, openFleet, startHost } from '../../test/support/kubernetes/fleet.ts';
import { botsOf } from '../../test/support/kubernetes/withBots.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { benchCluster } from './benchCluster.ts';
import { cpuSeconds, median, printTable } from './lib.ts';

/**
 * A host in a cluster with so many bots (default 1,000) whose pods are simulated: the API server, etcd, the scheduler and the store are
 * real. What is measured is the controller. The API is asked through a proxy that counts.
 */
const count = Number(process.argv[2] ?? 1_000);
const restSeconds = Number(process.argv[3] ?? 60);
const changes = 20;
const namespace = 'bench';
const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const { state, kube } = benchCluster('kube');
const rows: [string, string, string?][] = [];
const row = (what: string, figure: string, goal?: string) => {
  rows.push(goal === undefined ? [what, figure] : [what, figure, goal]);
  say(`${what}: ${figure}`);
};

const minio = await startMinio();
try {
  const kubeconfig = kube('up', '--kwok', String(Math.max(1, Math.ceil(count / 500)))).trim();
  const client = createKubeClient(readKubeconfig(kubeconfig, process.env, Date.now), systemClock);
  const spaces = resource(client, { api: 'v1', plural: 'namespaces', namespace: undefined });
  const signal = new AbortController().signal;
  await spaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, signal);
  const bots = await botsOf(client, namespace);
  await using fleet = await openFleet(client, namespace, bots);
  await minio.client.makeBucket('custom-bots');
  await minio.client.putObject('custom-bots', FLEET_CODE, 'code');
  await using proxy = await apiProxy(kubeconfig);
  const start = () => startHost({ kubeconfig: proxy.kubeconfig, namespace, store: minio });
  const known = async (host: ReturnType<typeof start>) => {
    while ((await host.bots())?.running !== count) {
      if (host.child.exitCode !== null) throw new Error(host.log().slice(-2000));
      // Each look costs the host as much as there are bots.
      await pause(Math.max(100, count / 10));
    }
  };
  const name = (i: number) => `bot-${String(i).padStart(5, '0')}`;

  let host = start();
  let began = performance.now();
  await fleet.create(Array.from({ length: count }, (_, i) => name(i)));
  row(`${count} Bots written to the cluster`, seconds(performance.now() - began));
  await fleet.until(() => fleet.running() === count, 3_600_000);
  row('… and all their pods run', seconds(performance.now() - began));
  await known(host);
  row('CPU of the controller for that', `${cpuSeconds(host.pid).toFixed(1)} s`);
  row('requests for that, one bot', (proxy.total() / count).toFixed(1));
  row('memory, and the most so far', memory(host.pid), '250 MiB');

  // What is still to be written (status, events) is written first.
  for (let before = -1; before !== quiet(); ) {
    before = quiet();
    await pause(5_000);
  }
  const atRest = { requests: proxy.total(), cpu: cpuSeconds(host.pid) };
  await pause(restSeconds * 1000);
  row(
    `requests at rest (${restSeconds} s)`,
    `${((proxy.total() - atRest.requests) / restSeconds).toFixed(2)}/s`,
    '2/s',
  );
  row('CPU at rest', `${(((cpuSeconds(host.pid) - atRest.cpu) / restSeconds) * 100).toFixed(1)} % of a core`);
  row('memory at rest', memory(host.pid), '250 MiB');

  const acted: number[] = [];
  for (let i = 0; i < changes; i += 1) {
    const bot = name(Math.floor((i * count) / changes));
    began = performance.now();
    await bots.patch(bot, { spec: { enabled: false } }, signal);
    await fleet.until(() => [...(fleet.pods.get(bot)?.values() ?? [])].every(({ isLeaving }) => isLeaving));
    acted.push(performance.now() - began);
    await bots.patch(bot, { spec: { enabled: true } }, signal);
  }
  row(
    'a change acted on: median, slowest',
    `${median(acted).toFixed(0)}, ${Math.max(...acted).toFixed(0)} ms`,
    '1 s',
  );
  await fleet.until(() => fleet.running() === count);
  const made = fleet.made;

  await host.end();
  began = performance.now();
  host = start();
  await known(host);
  row(
    'start of the controller to all known (the old lease included)',
    seconds(performance.now() - began),
    '60 s',
  );
  row('CPU for that', `${cpuSeconds(host.pid).toFixed(1)} s`);
  row('memory after it, and the most', memory(host.pid), '250 MiB');
  await pause(5_000);
  row('pods that were made anew by that', String(fleet.made - made), '0');
  row('bots that had two pods', String(fleet.twice.length), '0');
  await host.end();
  printTable(`A cluster of ${count} simulated bots`, rows);
  client.close();

  function quiet(): number {
    return [...proxy.counts]
      .filter(([what]) => /^(PATCH|POST)/.test(what))
      .reduce((sum, [, n]) => sum + n, 0);
  }
} finally {
  kube('down');
  await minio.stop();
  rmSync(state, { recursive: true, force: true });
}

function memory(pid: number): string {
  const { now, most } = memoryOf(pid);
  return `${now.toFixed(0)}, ${most.toFixed(0)} MiB`;
}
