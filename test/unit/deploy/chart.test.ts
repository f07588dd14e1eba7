import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { generated } from '../../../scripts/deploy.d/generated.ts';

const root = join(import.meta.dirname, '../../..');
const helm = join(root, 'scripts/helm');
const chart = join(root, 'deploy/chart');
const isBuilt = spawnSync(helm, ['built']).status === 0;

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: manifests of every kind
  readonly [rest: string]: any;
}

function run(...args: string[]) {
  return spawnSync(helm, args, { encoding: 'utf8' });
}

/** The chart with these values, by kind and name. */
function render(...sets: string[]): Map<string, Manifest> {
  const { stdout, stderr, status } = run(
    ...['template', 'runtime', chart, '--namespace', 'bots'],
    ...sets.flatMap((one) => ['--set', one]),
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const found = parseAllDocuments(stdout).flatMap((document) => {
    expect(document.errors).toEqual([]);
    return (document.toJS() ?? []) as Manifest;
  });
  return new Map(found.map((one) => [`${one.kind}/${one.metadata.name}`, one]));
}

const controller = (all: Map<string, Manifest>) =>
  all.get('Deployment/runtime-bot-controller')!.spec.template.spec;
const envOf = (all: Map<string, Manifest>) =>
  Object.fromEntries(
    controller(all).containers[0].env.map(({ name, value }: { name: string; value?: string }) => [
      name,
      value,
    ]),
  );

// Without helm (`scripts/helm install`, some minutes, once) these are skipped.
describe.skipIf(!isBuilt)('chart', () => {
  test('chart: helm finds nothing wrong with it, with and without its own store', () => {
    for (const values of [
      [],
      ['--set', 'minio.enabled=false,minio.endpoint=s3:9000,global.existingSecret=a'],
    ]) {
      const { stdout, status } = run('lint', '--strict', chart, ...values);
      expect(stdout).toContain('0 chart(s) failed');
      expect(status).toBe(0);
    }
  });

  test('chart: the plain manifests are what it makes (scripts/deploy writes them)', () => {
    for (const { path, text } of generated()) expect(readFileSync(path, 'utf8'), path).toBe(text);
  });

  test('chart: two replicas with the rights of a Role, and nothing that pod security "restricted" forbids', () => {
    const all = render();
    expect(all.get('Deployment/runtime-bot-controller')!.spec.replicas).toBe(2);
    expect([...all.keys()].filter((key) => key.startsWith('ClusterRole'))).toEqual([]);
    for (const { kind, spec } of all.values()) {
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
      const pod = spec.template.spec;
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers)
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  test('chart: an external store by its address and a Secret of one’s own; without them it says what is missing', () => {
    const missing = run('template', 'runtime', chart, '--set', 'minio.enabled=false');
    expect(missing.status).not.toBe(0);
    expect(missing.stderr).toMatch(/minio.endpoint|existingSecret/);
    const all = render(
      'minio.enabled=false',
      'minio.endpoint=s3.example.com:9000',
      'global.existingSecret=mine',
    );
    expect([...all.keys()].filter((key) => /minio|Secret/.test(key))).toEqual([]);
    expect(envOf(all).MINIO_ENDPOINT).toBe('s3.example.com:9000');
    const { egress } = all.get('NetworkPolicy/runtime-bots')!.spec;
    expect(egress.at(-1)).toEqual({ ports: [{ port: 9000, protocol: 'TCP' }] });
  });

  test('chart: with its own store the keys are made up, and bots reach its pods alone', () => {
    const all = render();
    const { data } = all.get('Secret/runtime-store')!;
    expect(Object.keys(data).sort()).toEqual(['minio-access-key', 'minio-secret-key', 'query-token']);
    const { egress } = all.get('NetworkPolicy/runtime-bots')!.spec;
    expect(egress.at(-1).to[0].podSelector.matchLabels['app.kubernetes.io/component']).toBe('minio');
  });

  test('chart: bots stay kept in when it is uninstalled; without policies they are let through, whatever the host makes', () => {
    const [kept, open] = [render(), render('networkPolicy.enabled=false')].map(
      (all) => all.get('NetworkPolicy/runtime-bots')!,
    );
    expect(kept?.metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } });
    expect(kept?.spec.ingress).toHaveLength(1);
    expect(open?.spec).toMatchObject({ ingress: [{}], egress: [{}] });
  });

  test('chart: a MongoDB is the source without any right on custom resources', () => {
    const all = render('source=mongodb', 'gc.enabled=true', 'global.existingSecret=mine');
    expect(controller(all).containers[0].args).toEqual(['controller']);
    const { rules } = all.get('Role/runtime-bot-controller')!;
    expect(rules.flatMap(({ apiGroups }: { apiGroups: string[] }) => apiGroups)).not.toContain(
      'runtime.bots',
    );
    expect(all.get('CronJob/runtime-gc')!.spec.concurrencyPolicy).toBe('Forbid');
    expect(controller(render()).containers[0].args).toContain('--bots=kubernetes:');
  });

  test('chart: what is off by default comes when it is asked for', () => {
    const off = render();
    const on = render(
      'serviceMonitor.enabled=true',
      'bots.priorityClass.create=true',
      'namespace.create=true',
    );
    const more = [...on.keys()].filter((key) => !off.has(key));
    expect(more.sort()).toEqual([
      'Namespace/bots',
      'PriorityClass/runtime-bots',
      'ServiceMonitor/runtime-bot-controller',
    ]);
    expect(on.get('Namespace/bots')!.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(JSON.parse(envOf(on).RUNTIME_HOST_POD_TEMPLATE)).toEqual({ priorityClassName: 'runtime-bots' });
    const placed = render('bots.podTemplate.nodeSelector.disk=ssd', 'global.imagePullSecrets[0].name=pull');
    expect(JSON.parse(envOf(placed).RUNTIME_HOST_POD_TEMPLATE)).toEqual({
      nodeSelector: { disk: 'ssd' },
      imagePullSecrets: [{ name: 'pull' }],
    });
  });
});
