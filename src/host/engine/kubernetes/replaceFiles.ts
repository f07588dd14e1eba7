import { isRuntimeError } from '../../../base/errors.ts';
import type { ReplaceFiles } from '../engine.ts';
import type { KubeContext } from './kubeContext.ts';
import { UNTIL } from './pods/labels.ts';
import { base64, fileKey } from './pods/podSecret.ts';
import { seePod } from './pods/seenPod.ts';

/** The kubelet writes what changes in a Secret into its pod within two minutes. */
export async function replaceFiles(
  context: KubeContext,
  { bot, roles, target, files, until }: ReplaceFiles,
  signal: AbortSignal,
): Promise<void> {
  const { secrets, pods, store, host } = context;
  const live = [...store.values()].filter(
    ({ instance }) =>
      instance.bot === bot &&
      roles.includes(instance.role) &&
      instance.state !== 'ended' &&
      instance.filesUntil !== undefined,
  );
  for (const seen of live) {
    try {
      const data = Object.entries(files).map(([file, secret]) => [
        fileKey(target, file),
        base64(secret.reveal()),
      ]);
      await secrets.patch(seen.secret, { data: Object.fromEntries(data) }, signal);
      const pod = await pods.patch(
        seen.pod,
        { metadata: { uid: seen.uid, annotations: { [UNTIL]: String(until) } } },
        signal,
      );
      const after = seePod(pod, host);
      if (after) store.put(after);
    } catch (error) {
      // It has ended meanwhile.
      if (!isRuntimeError(error, 'not-found', 'conflict')) throw error;
    }
  }
}
