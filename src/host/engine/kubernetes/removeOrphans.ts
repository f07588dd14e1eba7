import { listPages } from '../../kubernetes/listPages.ts';
import type { KubeObject } from '../../kubernetes/objects.ts';
import { adoptSecret } from './createPod.ts';
import type { KubeContext } from './kubeContext.ts';
import { hostLabel } from './pods/labels.ts';

/** Somebody may be about to make what it is for. */
const OLD_MS = 600_000;

/**
 * What a host left that died while it made a pod: a Secret that no pod needs goes, one whose pod is there becomes the pod's own. So
 * do policies that no pod goes by.
 */
export async function removeOrphans(context: KubeContext, signal: AbortSignal): Promise<void> {
  const { secrets, policies, store, host, clock } = context;
  const labelSelector = `${hostLabel}=${host}`;
  const isOld = ({ metadata }: KubeObject) =>
    clock.now() - Date.parse(metadata.creationTimestamp ?? '') > OLD_MS;
  const keep = ({ metadata }: KubeObject): KubeObject => ({ metadata });
  const bySecret = new Map([...store.values()].map((seen) => [seen.secret, seen]));

  const { items } = await listPages(secrets, { labelSelector, keep }, signal);
  for (const one of items.filter(isOld)) {
    const { name, ownerReferences } = one.metadata;
    if (ownerReferences?.length) continue;
    const seen = bySecret.get(name);
    if (seen) await adoptSecret(context, name, seen.pod, seen.uid, signal);
    else await secrets.remove(name, {}, signal);
  }

  const used = new Set([...store.values()].map(({ egress }) => egress));
  const made = await listPages(policies, { labelSelector, keep }, signal);
  for (const one of made.items.filter(isOld)) {
    const label = one.metadata.labels?.['runtime.egress'] ?? '';
    if (label === '' || used.has(label)) continue;
    // Before it goes: whoever needs it from now on makes it again.
    context.policiesMade.delete(label);
    await policies.remove(one.metadata.name, {}, signal);
  }
}
