import { hash } from 'node:crypto';
import type { Egress } from '../../../bots/botSpec.ts';

/**
 * One of our bridges. Whom its bots may talk to belongs to the bridge, not to the bot: the rules are there before the first
 * packet, and there are as many as there are bridges.
 */
export interface Bridge {
  /** Of the engine's network: `runtime-HOST-CLASS-3`. */
  readonly name: string;
  /** Of the kernel's interface, at most 15 characters. */
  readonly device: string;
  readonly egress: Egress;
  /** This machine, as seen from the bridge. */
  readonly gateway: string;
}

/** Above, a bridge slows down; it ends at 1,023 ports. A /24 holds 253. */
export const BOTS_PER_BRIDGE = 250;

export const bridgeLabel = 'runtime.egress';

/** Equal for policies that mean the same. */
export function egressClass(egress: Egress): string {
  if (typeof egress === 'string') return egress;
  return `cidr${hash('sha256', JSON.stringify([...new Set(egress)].sort())).slice(0, 8)}`;
}

export function bridgeName(host: string, egress: Egress, number: number): string {
  return `runtime-${host}-${egressClass(egress)}-${number}`;
}

export function deviceOf(name: string): string {
  return `rtb${hash('sha256', name).slice(0, 12)}`;
}
