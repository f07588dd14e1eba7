import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import { listPages } from '../../kubernetes/listPages.ts';
import type { KubeObject } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';
import type { Capacity } from '../engine.ts';

interface Node extends KubeObject {
  readonly status?: { readonly allocatable?: { readonly cpu?: string; readonly memory?: string } };
}

/** Of all nodes; `denied` for a host whose role does not reach beyond its namespace. */
export async function clusterCapacity(client: KubeClient, signal: AbortSignal): Promise<Capacity> {
  const nodes = resource<Node>(client, { api: 'v1', plural: 'nodes', namespace: undefined });
  const { items } = await listPages(nodes, { keep: ({ status }) => status?.allocatable ?? {} }, signal);
  return {
    cpus: items.reduce((sum, { cpu }) => sum + quantity(cpu), 0),
    memoryBytes: items.reduce((sum, { memory }) => sum + quantity(memory), 0),
  };
}

const factors: Readonly<Record<string, number>> = { m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const binary: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** `3920m`, `16Gi`; 0 for what is not one. */
function quantity(text = ''): number {
  const [, digits = '0', unit = ''] = /^([0-9.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number(digits) * ({ ...factors, ...binary }[unit] ?? 0);
}
