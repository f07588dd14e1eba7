import { randomBytes } from 'node:crypto';
import { isRuntimeError } from '../../../base/errors.ts';
import type { InstanceSpec } from '../engine.ts';
import type { KubeContext } from './kubeContext.ts';
import { ensurePolicy } from './networkPolicy.ts';
import { podBody } from './pods/podBody.ts';
import { podName } from './pods/podName.ts';
import { podSecret } from './pods/podSecret.ts';
import { seePod } from './pods/seenPod.ts';

/**
 * First what it needs, then the pod, which waits to be started, then its Secret is made its own: whatever a death in between leaves
 * is either found by the next host or taken by `removeOrphans`. A Secret has a name of its own each time: the cluster removes that of
 * an earlier pod when it gets to it.
 */
export async function createPod(
  context: KubeContext,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  const { pods, secrets, store, host, options } = context;
  const egress = await ensurePolicy(context, spec.egress, signal);
  const secret = `${podName(spec.name)}-${randomBytes(4).toString('hex')}`;
  await secrets.create(podSecret(spec, secret, host), signal);
  const pod = await pods
    .create(podBody({ spec, host, secret, egress, options }), signal)
    .catch(async (error) => {
      // Without an answer the pod may be there, and need it.
      if (isRuntimeError(error, 'conflict', 'refused', 'denied'))
        await secrets.remove(secret, {}, signal).catch(() => undefined);
      throw error;
    });
  const seen = seePod(pod, host);
  if (seen) store.put(seen);
  await adoptSecret(context, secret, pod.metadata.name, pod.metadata.uid ?? '', signal);
}

export async function adoptSecret(
  { secrets }: KubeContext,
  secret: string,
  pod: string,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: pod, uid }];
  await secrets.patch(secret, { metadata: { ownerReferences } }, signal);
}
