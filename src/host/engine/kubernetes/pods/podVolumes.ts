import type { InstanceSpec, Mount } from '../../engine.ts';
import { fileKey } from './podSecret.ts';

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

export interface Volumes {
  readonly volumes: readonly Record<string, unknown>[];
  readonly mounts: readonly VolumeMount[];
  /** Of all that lies on the node's disk. */
  readonly diskBytes: number;
}

/** Memory and disk as emptyDirs with a limit each, files as a part of the pod's Secret. No folder of a node: "restricted" forbids it. */
export function podVolumes(spec: InstanceSpec, secret: string): Volumes {
  const volumes = spec.mounts.map((mount, index) => ({
    name: nameOf(index),
    ...sourceOf(mount, spec, secret),
  }));
  const mounts = spec.mounts.map(({ target, readOnly }, index) => ({
    name: nameOf(index),
    mountPath: target,
    readOnly,
  }));
  const diskBytes = spec.mounts.reduce((sum, { from }) => sum + (from.type === 'disk' ? from.bytes : 0), 0);
  return { volumes, mounts, diskBytes };
}

const nameOf = (index: number) => `mount-${index}`;

function sourceOf({ from, target }: Mount, spec: InstanceSpec, secret: string): object {
  switch (from.type) {
    case 'memory':
      return { emptyDir: { medium: 'Memory', sizeLimit: String(from.bytes) } };
    case 'disk':
      return { emptyDir: { sizeLimit: String(from.bytes) } };
    case 'files': {
      const items = Object.keys(spec.files?.[target] ?? {}).map((file) => ({
        key: fileKey(target, file),
        path: file,
      }));
      // Of the pod's group, which is the bot's user's own.
      return { secret: { secretName: secret, items, defaultMode: 0o440 } };
    }
    case 'folder':
      throw new Error(`${from.path}: a cluster has no folders of this machine`);
  }
}
