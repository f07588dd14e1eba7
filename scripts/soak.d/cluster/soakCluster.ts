import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/base/clock.ts';
import { createKubeClient, type KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../../src/host/kubernetes/kubeconfig.ts';
import type { KubeObject } from '../../../src/host/kubernetes/objects.ts';
import { resource } from '../../../src/host/kubernetes/resource.ts';
import { packFolder } from '../../../src/host/sources/packFolder.ts';
import { targetImage } from '../../../test/support/container/docker.ts';
import { FLEET_CODE, openFleet } from '../../../test/support/kubernetes/fleet.ts';
import { aBot, botsOf } from '../../../test/support/kubernetes/withBots.ts';
import { type Minio, startMinio } from '../../../test/support/store/minio.ts';
import { readSaved } from '../../../test/support/store/readSaved.ts';
import { benchCluster } from '../../bench.d/benchCluster.ts';
import { seeded } from '../random.ts';
import type { SoakOptions } from '../soak.ts';
import { accountForRuns } from './accountForRuns.ts';
import { startComeAndGo } from './comeAndGo.ts';
import { followMemory } from './followMemory.ts';
import { startReplicas } from './replicas.ts';
import { type RunPod, watchRunPods } from './runPods.ts';
import { startTrouble } from './trouble.ts';

const NAMESPACE = 'soak';
const SCHEDULED = ['ledger-0', 'ledger-1', 'ledger-2', 'ledger-3'];
const EVERY_S = 15;
/** In the last part no host is killed, so that memory can be followed. */
const LONG_PART = 0.4;
const signal = () => AbortSignal.timeout(180_000);

/** Two replicas of a host on a real node, bots that come and go, and trouble at random. What was lost, or came twice, is in `problems`. */
export async function soakCluster({ minutes, seed, print }: SoakOptions): Promise<{ problems: string[] }> {
  const random = seeded(seed);
  const problems: string[] = [];
  await using stack = new AsyncDisposableStack();
  let isOver = false;
  const image = await targetImage('python');
  const minio = await startMinio({ quiet: true });
  stack.defer(() => minio.stop());
  const { state, run, kube } = benchCluster('soak');
  stack.defer(() => rmSync(state, { recursive: true, force: true }));
  stack.defer(() => void kube('down'));
  const port = String(minio.port);
  const kubeconfig = kube('up', '--node', '--image', image, '--host-port', port).trim();
  stack.defer(() => {
    if (!isOver)
      print(
        execFileSync(join(run, 'bin/kubectl'), ['-n', NAMESPACE, 'get', 'bots,pods', '-o', 'wide'], {
          encoding: 'utf8',
        }),
      );
  });
  const client = createKubeClient(readKubeconfig(kubeconfig, process.env, Date.now), systemClock);
  stack.defer(() => client.close());
  const objects = (plural: string, namespace: string | undefined = NAMESPACE) =>
    resource<KubeObject>(client, { api: 'v1', plural, namespace });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await resource<KubeObject>(client, { api: 'v1', plural: 'namespaces', namespace: undefined }).create(
    namespace,
    signal(),
  );
  const bots = await botsOf(client, NAMESPACE);
  await uploadCode(minio);
  const fleet = stack.use(await openFleet(client, NAMESPACE, bots));
  const runs = stack.use(watchRunPods(client, NAMESPACE));
  const replicas = stack.use(
    await startReplicas(2, {
      kubeconfig,
      namespace: NAMESPACE,
      store: minio,
      more: {
        MINIO_CONTAINER_ENDPOINT: `http://10.244.0.1:${port}`,
        RUNTIME_IMAGE: image,
        SYNC_INTERVAL: '2s',
      },
    }),
  );
  for (const name of SCHEDULED) await bots.create(ledger(name), signal());

  const trouble = startTrouble(replicas, minio, random);
  const guests = startComeAndGo(fleet, (bot) => objects('pods').remove(`rt-${bot}`, {}, signal()), random);
  await sleep(minutes * 60_000 * (1 - LONG_PART));
  trouble.spare();
  // What was stopped is back, and a lease is taken.
  await sleep(20_000);
  problems.push(...(await followMemory(replicas, minutes * 60_000 * LONG_PART, print)));
  await trouble.stop();
  await guests.stop();

  for (const name of SCHEDULED) await bots.patch(name, { spec: { enabled: false } }, signal());
  await fleet.until(() => [...runs.seen.values()].every(hasEnded), 180_000);
  const totals = { due: 0, ran: 0, failed: 0, without: 0 };
  for (const name of SCHEDULED) {
    const text = await readSaved(minio, name, '.the0-state/ledger');
    const times = text.trim().split('\n').map(Date.parse);
    if (times.some(Number.isNaN))
      problems.push(`${name}: its ledger is ${JSON.stringify(text.slice(0, 200))}`);
    const account = accountForRuns(name, EVERY_S * 1_000, times, runs.seen.values());
    problems.push(...account.problems);
    for (const key of ['due', 'ran', 'failed', 'without'] as const) totals[key] += account[key];
    await bots.remove(name, {}, signal());
  }
  for (const late = signal(); (await bots.get(SCHEDULED[0]!, late)) !== undefined; ) await sleep(500);
  await fleet.until(() => [...fleet.pods.keys()].every((bot) => SCHEDULED.includes(bot)), 180_000);
  problems.push(...fleet.twice.map((bot) => `${bot} had two pods at a time`));
  problems.push(...(await leftOver(client)));
  print(`trouble: ${trouble.told()}`);
  print(
    `replicas that ended by themselves: ${[...replicas.ends].map(([how, n]) => `${n} with ${how}`).join(', ') || 'none'}`,
  );
  print(`guests: ${guests.told()}; ${fleet.made} pods in all`);
  print(
    `${totals.due} times due, ${totals.ran} run, ${totals.failed} failed, ${totals.without} without a pod (nobody there, or the run before still going)`,
  );
  if (totals.ran < totals.due / 3) problems.push('most times were not run');
  isOver = true;
  return { problems };
}

const hasEnded = ({ phase }: RunPod) => phase === 'Succeeded' || phase === 'Failed';

/** Writes the time of each of its runs into its state. */
const ledger = (name: string): object =>
  aBot(name, {
    type: 'scheduled',
    code: { file: FLEET_CODE },
    runtime: 'command',
    entrypoints: { bot: 'mkdir -p "$STATE_DIR"; echo "$RUN_TIME" >> "$STATE_DIR/ledger"; sleep 1' },
    schedule: { cron: `*/${EVERY_S} * * * * *` },
  });

async function uploadCode(minio: Minio): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-code-'));
  writeFileSync(join(folder, 'main.py'), 'import time\nwhile True:\n    time.sleep(1)\n');
  const { bytes } = await packFolder(folder);
  await minio.client.makeBucket('custom-bots');
  await minio.client.putObject('custom-bots', FLEET_CODE, Buffer.from(bytes));
  rmSync(folder, { recursive: true, force: true });
}

/** Pods, Secrets and records of guests that are no more. Runs stay for their logs, the last three for an hour. */
async function leftOver(client: KubeClient): Promise<string[]> {
  const found: string[] = [];
  for (const plural of ['pods', 'secrets', 'configmaps']) {
    const path = `/api/v1/namespaces/${NAMESPACE}/${plural}`;
    const { items } = await client.call<{ items: KubeObject[] }>({
      op: 'soak',
      subject: plural,
      method: 'GET',
      path,
      signal: signal(),
    });
    for (const { metadata } of items)
      if (/^rt.*guest/.test(metadata.name)) found.push(`left: ${plural} ${metadata.name}`);
  }
  return found;
}
