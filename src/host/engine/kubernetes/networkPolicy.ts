import { hash } from 'node:crypto';
import { isRuntimeError } from '../../../base/errors.ts';
import type { Egress } from '../../bots/botSpec.ts';
import { privateNetworks } from '../privateNetworks.ts';
import type { KubeContext } from './kubeContext.ts';
import { hostLabel } from './pods/labels.ts';

const PRIVATE_IPV6 = ['::1/128', 'fc00::/7', 'fe80::/10', 'ff00::/8'];

/**
 * Makes the policy that lets a bot out, where none is there yet, and resolves with the value of the label that it goes by. All bots
 * with the same networks share one. What is not let out is kept in by the default-deny policy of deploy/, which also opens the way to
 * names and to the store.
 */
export async function ensurePolicy(
  context: KubeContext,
  egress: Egress,
  signal: AbortSignal,
): Promise<string> {
  const { policies, host } = context;
  if (egress === 'none' || egress.length === 0) return 'none';
  const label =
    egress === 'internet' ? 'internet' : `h-${hash('sha256', [...egress].sort().join(' ')).slice(0, 12)}`;
  if (context.policiesMade.has(label)) return label;
  const blocks =
    egress === 'internet'
      ? [
          { ipBlock: { cidr: '0.0.0.0/0', except: privateNetworks } },
          { ipBlock: { cidr: '::/0', except: PRIVATE_IPV6 } },
        ]
      : [...egress].map((cidr) => ({ ipBlock: { cidr } }));
  try {
    await policies.create(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: {
          name: `runtime-egress-${host}-${label}`,
          labels: {
            [hostLabel]: host,
            'runtime.egress': label,
            'app.kubernetes.io/managed-by': 'runtime-host',
          },
        },
        spec: {
          podSelector: { matchLabels: { [hostLabel]: host, 'runtime.egress': label } },
          policyTypes: ['Egress'],
          egress: [{ to: blocks }],
        },
      },
      signal,
    );
  } catch (error) {
    if (!isRuntimeError(error, 'conflict')) throw error;
  }
  context.policiesMade.add(label);
  return label;
}
