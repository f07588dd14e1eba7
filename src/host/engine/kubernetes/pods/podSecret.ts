import type { KubeObject } from '../../../kubernetes/objects.ts';
import type { InstanceSpec } from '../../engine.ts';
import { hostLabel } from './labels.ts';

/** Key of the pod's Secret that holds a variable. */
export const envKey = (name: string) => `env.${name}`;
/** … that holds a file below a mount. */
export const fileKey = (target: string, file: string) => `file${target.replaceAll('/', '_')}.${file}`;

/** All that is secret of one instance. It belongs to the pod, and goes with it. */
export function podSecret(
  spec: InstanceSpec,
  name: string,
  host: string,
): KubeObject & Record<string, unknown> {
  const data: Record<string, string> = {};
  for (const [variable, secret] of Object.entries(spec.secretEnv))
    data[envKey(variable)] = base64(secret.reveal());
  for (const [target, files] of Object.entries(spec.files ?? {}))
    for (const [file, secret] of Object.entries(files)) data[fileKey(target, file)] = base64(secret.reveal());
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, labels: { [hostLabel]: host, 'app.kubernetes.io/managed-by': 'runtime-host' } },
    data,
  };
}

export const base64 = (text: string) => Buffer.from(text).toString('base64');
