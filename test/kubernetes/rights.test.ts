import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { type ApiProxy, apiProxy } from '../support/kubernetes/apiProxy.ts';
import { FLEET_CODE } from '../support/kubernetes/fleet.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { sleepyBots } from '../support/kubernetes/sleepyBots.ts';
import { aBot } from '../support/kubernetes/withBots.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const signal = () => AbortSignal.timeout(100_000);
const manifests = join(import.meta.dirname, '../../deploy/manifests/runtime.yaml');

async function rulesOfTheChart(): Promise<Rule[]> {
  const all = parseAllDocuments(await readFile(manifests, 'utf8')).map((document) => document.toJS());
  return all.find(({ kind }) => kind === 'Role').rules;
}

/** An account with these rights alone; resolves with its token. */
async function account(
  space: Awaited<ReturnType<typeof sleepyBots>>['space'],
  rules: readonly Rule[],
): Promise<string> {
  const { client, name: namespace } = space;
  const of = (api: string, plural: string) => resource<KubeObject>(client, { api, plural, namespace });
  const metadata = { name: 'controller' };
  const rbac = 'rbac.authorization.k8s.io/v1';
  await of('v1', 'serviceaccounts').create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, signal());
  await of(rbac, 'roles').create({ apiVersion: rbac, kind: 'Role', metadata, rules }, signal());
  await of(rbac, 'rolebindings').create(
    {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'controller' },
      subjects: [{ kind: 'ServiceAccount', name: 'controller', namespace }],
    },
    signal(),
  );
  const { status } = await client.call<{ status: { token: string } }>({
    op: 'test',
    subject: 'token',
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/controller/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
    signal: signal(),
  });
  return status.token;
}

const granted = (rules: readonly Rule[]) =>
  rules.flatMap(({ resources, verbs }) =>
    resources.flatMap((kind) => verbs.map((verb) => `${verb} ${kind}`)),
  );

/** Everything that a host does in a cluster, at least once. */
async function everything(bots: Awaited<ReturnType<typeof sleepyBots>>, proxy: ApiProxy): Promise<void> {
  const { fleet } = bots;
  const host = bots.replica(proxy.kubeconfig, { POD_NAME: 'nobody' });
  const code = { file: FLEET_CODE };
  // On a busy machine a last save has taken 29 s; of what is deleted and not saved the object would stay.
  const stop = { timeout: '60s' };
  await fleet.bots.create(aBot('realtime', { code, stop }), signal());
  // What a host leaves that dies while it makes a pod.
  const left = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'rt-walled' } };
  const { client, name: namespace } = bots.space;
  await resource<KubeObject>(client, { api: 'v1', plural: 'secrets', namespace }).create(left, signal());
  await fleet.bots.create(aBot('walled', { code, stop, network: { egress: ['203.0.113.0/24'] } }), signal());
  const often = { type: 'scheduled', code, schedule: { cron: '*/2 * * * * *' }, runtime: 'command' };
  await fleet.bots.create(aBot('often', { ...often, entrypoints: { bot: 'true' } }), signal());
  await fleet.until(() => fleet.running() >= 2 && fleet.made >= 4);
  const ask = (...args: string[]) => host.ask(...args);
  await ask('logs', 'realtime');
  await ask(
    'apply',
    JSON.stringify({
      name: 'applied',
      type: 'realtime',
      runtime: 'python3.11',
      code,
      entrypoints: { bot: 'main.py' },
    }),
  );
  await fleet.until(() => fleet.pods.has('applied'));
  await ask('disable', 'applied');
  await fleet.until(() => !fleet.pods.has('applied'));
  await ask('rm', 'applied');
  await ask('drain');
  await fleet.until(() => fleet.running() === 0);
  await ask('resume');
  await fleet.until(() => fleet.running() >= 2);
  await fleet.bots.remove('often', {}, signal());
  await fleet.bots.remove('realtime', {}, signal());
  for (const late = signal(); ; await systemClock.sleep(100, signal())) {
    const left = await fleet.bots.get('realtime', signal());
    if (left === undefined) break;
    if (late.aborted) throw new Error(`it is still there: ${JSON.stringify(left.status)}`);
  }
  host.signal('SIGTERM');
  expect(await host.ended).toBe(0);
}

kubeTest(
  'the Role of the chart is enough for all that a host does, and has nothing that it does not use',
  async () => {
    await using bots = await sleepyBots();
    const rules = await rulesOfTheChart();
    const token = await account(bots.space, rules);
    await using proxy = await apiProxy(theCluster().kubeconfig, token);
    await everything(bots, proxy);
    expect(proxy.refused).toEqual([]);
    expect(granted(rules).filter((right) => !proxy.verbs.has(right))).toEqual([]);
  },
  400_000,
);

kubeTest(
  'negative control: without one of its rights, the host is refused, and the refusal is seen',
  async () => {
    await using bots = await sleepyBots();
    const rules = (await rulesOfTheChart()).filter(({ resources }) => !resources.includes('secrets'));
    const token = await account(bots.space, rules);
    await using proxy = await apiProxy(theCluster().kubeconfig, token);
    bots.replica(proxy.kubeconfig);
    const late = signal();
    while (proxy.refused.length === 0) await systemClock.sleep(100, late);
    expect(proxy.refused[0]).toMatch(/secrets/);
  },
);
