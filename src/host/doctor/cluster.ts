import { systemClock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { createKubeClient, type KubeClient } from '../kubernetes/kubeClient.ts';
import type { KubeObject } from '../kubernetes/objects.ts';
import { openAccess } from '../kubernetes/openAccess.ts';
import { resource } from '../kubernetes/resource.ts';
import type { HostCheck } from './patient.ts';

/** What a host does in its namespace, whatever its source: API group, objects, verbs. deploy/ has the Role. */
export const clusterRights: readonly (readonly [string, string, readonly string[]])[] = [
  ['', 'pods', ['get', 'list', 'watch', 'create', 'patch', 'delete']],
  ['', 'pods/log', ['get']],
  ['', 'secrets', ['get', 'create', 'patch', 'delete']],
  ['', 'configmaps', ['get', 'list', 'create', 'patch', 'delete']],
  ['networking.k8s.io', 'networkpolicies', ['create']],
  ['coordination.k8s.io', 'leases', ['get', 'create', 'update']],
  ['', 'events', ['create']],
];
/** Scheduling gates and native sidecars are there for good. */
const OLDEST_MINOR = 30;

/** Reachable, new enough, and whether it lets the host do its work. */
export const cluster: HostCheck = {
  name: 'cluster',
  async run({ env, namespace: named, now, signal }) {
    const access = openAccess(env, now);
    const client = createKubeClient(access, systemClock);
    try {
      const namespace = named || access.namespace;
      const request = { op: 'doctor.cluster', subject: 'cluster', method: 'GET', signal } as const;
      const version = await client.call<{ minor: string; gitVersion: string }>({
        ...request,
        path: '/version',
      });
      return [
        Number.parseInt(version.minor, 10) < OLDEST_MINOR
          ? warn('cluster', `Kubernetes ${version.gitVersion}`, `Use 1.${OLDEST_MINOR} or newer.`)
          : ok('cluster', `Kubernetes ${version.gitVersion} at ${access.server}`),
        await rightsFinding(client, namespace, signal),
        await securityFinding(client, namespace, signal),
      ];
    } finally {
      client.close();
    }
  },
};

async function rightsFinding(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Finding> {
  const asked = clusterRights.flatMap(([group, plural, verbs]) =>
    verbs.map((verb) => ({ group, plural, verb })),
  );
  const missing: string[] = [];
  for (const { group, plural, verb } of asked) {
    const [kind, subresource = ''] = plural.split('/');
    const { status } = await client.call<{ status: { allowed: boolean } }>({
      op: 'doctor.rights',
      subject: 'rights',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, group, resource: kind, subresource, verb } },
      },
      signal,
    });
    if (!status.allowed) missing.push(`${verb} ${plural}`);
  }
  if (missing.length === 0) return ok('rights', `all that a host needs in the namespace ${namespace}`);
  return fail(
    'rights',
    new RuntimeError('denied', `not allowed in the namespace ${namespace}: ${missing.join(', ')}`, {
      hint: 'deploy/ has the Role.',
    }),
  );
}

async function securityFinding(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Finding> {
  const check = 'pod security';
  const spaces = resource<KubeObject>(client, { api: 'v1', plural: 'namespaces', namespace: undefined });
  let labels: Readonly<Record<string, string>> | undefined;
  try {
    labels = (await spaces.get(namespace, signal))?.metadata.labels ?? {};
  } catch {
    return ok(check, `the namespace ${namespace} is not ours to read; pods of bots pass "restricted"`);
  }
  if (labels['pod-security.kubernetes.io/enforce'] === 'restricted')
    return ok(check, `${namespace} takes only pods that pass "restricted"`);
  return warn(
    check,
    `${namespace} takes pods with more rights than bots have`,
    `kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=restricted`,
  );
}
