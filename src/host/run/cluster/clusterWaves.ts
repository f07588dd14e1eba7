import { isRuntimeError } from '../../../base/errors.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { ConfigMap } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';
import { keepWaves, type WavesFile } from '../../loop/wavesFile.ts';

/** Waves in a ConfigMap of the host: the next replica goes on with them. */
export async function openClusterWaves(
  client: KubeClient,
  namespace: string,
  host: string,
  signal: AbortSignal,
): Promise<WavesFile> {
  const maps = resource<ConfigMap>(client, { api: 'v1', plural: 'configmaps', namespace });
  const name = `${host}-waves`;
  const there = await maps.get(name, signal);
  return keepWaves(there?.data?.waves ?? '', async (waves) => {
    try {
      await maps.patch(name, { data: { waves } }, signal);
    } catch (error) {
      if (!isRuntimeError(error, 'not-found')) throw error;
      const metadata = { name, namespace, labels: { 'runtime.host': host } };
      await maps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { waves } }, signal);
    }
  });
}
