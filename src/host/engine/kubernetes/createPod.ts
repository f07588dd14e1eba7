import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { SecretObject } from '../../kubernetes/objects.ts';
import type { InstanceSpec } from '../engine.ts';
import type { KubeContext } from './kubeContext.ts';
import { ensurePolicy } from './networkPolicy.ts';
import { podBody } from './pods/podBody.ts';
import { podName } from './pods/podName.ts';
import { podSecret } from './pods/podSecret.ts';
import { type SeenPod, seePod } from './pods/seenPod.ts';

/**
 * First what it needs, then the pod, which waits to be started, then its Secret is made its own, so that it goes with it. What a death
 * in between leaves, the next one to make or to start this pod puts right.
 */
export async function createPod(
  context: KubeContext,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  const { pods, secrets, store, host, options } = context;
  const egress = await ensurePolicy(context, spec.egress, signal);
  const secret = podName(spec.name);
  const { metadata } = await makeSecret(context, podSecret(spec, secret, host), signal);
  const pod = await pods
    .create(podBody({ spec, host, secret, egress, options }), signal)
    .catch(async (error: unknown) => {
      // Whoever has the name has the Secret; without an answer the pod may be there, and need it.
      if (isRuntimeError(error, 'refused', 'denied'))
        await secrets.remove(secret, { uid: metadata.uid ?? '' }, signal).catch(() => undefined);
      throw error;
    });
  const seen = seePod(pod, host);
  if (seen === undefined) return;
  store.put(seen);
  await adoptSecret(context, seen, signal);
}

/** A Secret of this name is that of an earlier pod, or of one that was never made: it is no longer needed, and not mended but made anew. */
async function makeSecret(
  { pods, secrets }: KubeContext,
  body: ReturnType<typeof podSecret>,
  signal: AbortSignal,
): Promise<SecretObject> {
  const { name } = body.metadata;
  try {
    return await secrets.create(body, signal);
  } catch (error) {
    if (!isRuntimeError(error, 'conflict')) throw error;
    if (await pods.get(name, signal))
      throw new RuntimeError('conflict', `there is a pod ${name}`, { op: 'engine.create', path: name });
    const old = await secrets.get(name, signal);
    // The cluster, which removes what has lost its owner, means the old one by its uid as well.
    if (old) await secrets.remove(name, { uid: old.metadata.uid ?? '' }, signal);
    return await secrets.create(body, signal);
  }
}

export async function adoptSecret(
  { secrets, adopted }: KubeContext,
  { secret, pod, uid }: SeenPod,
  signal: AbortSignal,
): Promise<void> {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: pod, uid }];
  await secrets.patch(secret, { metadata: { ownerReferences } }, signal);
  adopted.add(uid);
}
