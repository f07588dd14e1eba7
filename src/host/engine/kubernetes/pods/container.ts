import type { Resources } from '../../../bots/botSpec.ts';
import type { InstanceSpec } from '../../engine.ts';
import { QUERY_PORT } from '../../queryPort.ts';
import { envKey } from './podSecret.ts';
import type { VolumeMount } from './podVolumes.ts';

/** One container of a pod. */
export interface Part {
  readonly name: string;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly mounts: readonly VolumeMount[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that are in the pod's Secret. */
  readonly secretEnv: readonly string[];
  readonly resources: Pick<Resources, 'memoryBytes' | 'cpuMillis' | 'cpuLimit'>;
  readonly diskBytes: number;
  /** Path on the query port that answers once it is ready. */
  readonly answers?: string;
  /** It starts before what comes after it and ends after it. */
  readonly isSidecar?: boolean;
}

/** What is reserved on a node, of what may be used at most: bots sleep most of the time. */
const RESERVED_MEMORY = 1 / 3;
const RESERVED_CPU = 1 / 5;
const LOG_BYTES = 256 * 2 ** 20;

export function container(
  spec: InstanceSpec,
  { secret, imagePullPolicy }: { readonly secret: string; readonly imagePullPolicy: string | undefined },
  part: Part,
): Record<string, unknown> {
  const { memoryBytes, cpuMillis, cpuLimit } = part.resources;
  const variables = Object.entries(part.env).map(([name, value]) => ({ name, value }));
  const secrets = part.secretEnv.map((name) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key: envKey(name) } },
  }));
  const limits = {
    memory: String(memoryBytes),
    'ephemeral-storage': String(part.diskBytes + LOG_BYTES),
    ...(cpuLimit && { cpu: `${cpuMillis}m` }),
  };
  const requests = {
    memory: String(Math.ceil(memoryBytes * RESERVED_MEMORY)),
    cpu: `${Math.max(1, Math.round(cpuMillis * RESERVED_CPU))}m`,
    'ephemeral-storage': '64Mi',
  };
  return {
    name: part.name,
    image: spec.image,
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(part.command && { command: part.command }),
    ...(part.args && { args: part.args }),
    ...(part.isSidecar && { restartPolicy: 'Always' }),
    env: [...variables, ...secrets],
    volumeMounts: part.mounts,
    resources: { requests, limits },
    ...(part.answers && {
      readinessProbe: {
        httpGet: { path: part.answers, port: QUERY_PORT },
        periodSeconds: 10,
        timeoutSeconds: 5,
      },
    }),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: spec.guest === undefined,
      runAsNonRoot: true,
    },
  };
}
