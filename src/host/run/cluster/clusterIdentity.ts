import { randomBytes } from 'node:crypto';
import { isRuntimeError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { SecretObject } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';

export interface ClusterIdentity {
  /** Signs the tokens of single bots. */
  readonly tokenKey: Secret;
  /** Of the seals of bots' keys: as long as it is kept, what runs goes on opening what the next replica seals. */
  readonly sealKey: Secret;
  readonly draining: boolean;
  keepDraining(on: boolean): Promise<void>;
}

/** What a host makes once and all its replicas read: a Secret of the host's own. */
export async function clusterIdentity(
  client: KubeClient,
  namespace: string,
  host: string,
  signal: AbortSignal,
): Promise<ClusterIdentity> {
  const secrets = resource<SecretObject>(client, { api: 'v1', plural: 'secrets', namespace });
  const name = `${host}-identity`;
  const make = async () => {
    const key = () => randomBytes(32).toString('base64');
    try {
      return await secrets.create(
        {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'Opaque',
          // Not the label of what is made for pods: that goes when no pod needs it.
          metadata: { name, namespace, labels: { 'runtime.identity': host } },
          data: { 'token-key': key(), 'seal-key': key() },
        },
        signal,
      );
    } catch (error) {
      if (!isRuntimeError(error, 'conflict')) throw error;
      return (await secrets.get(name, signal))!;
    }
  };
  const { data = {} } = (await secrets.get(name, signal)) ?? (await make());
  return {
    tokenKey: new Secret(data['token-key'] ?? ''),
    sealKey: new Secret(data['seal-key'] ?? ''),
    draining: data.draining !== undefined,
    keepDraining: async (on) => {
      await secrets.patch(
        name,
        { data: { draining: on ? Buffer.from('true').toString('base64') : null } },
        signal,
      );
    },
  };
}
