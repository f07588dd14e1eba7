import { networkInterfaces } from 'node:os';
import { isRuntimeError, RuntimeError } from '../../../../base/errors.ts';
import { type Subnet, subnets } from './subnets.ts';

/** The first subnet of the pool that `make` succeeds with: the engine refuses those that others of its networks have. */
export async function withFreeSubnet<T>(
  pool: string,
  taken: ReadonlySet<string>,
  make: (subnet: Subnet) => Promise<T>,
): Promise<T> {
  for (const subnet of subnets(pool)) {
    if (taken.has(subnet.gateway) || isHere(subnet)) continue;
    try {
      return await make(subnet);
    } catch (error) {
      if (!isRuntimeError(error, 'refused') || !/overlap/i.test(error.message)) throw error;
    }
  }
  throw new RuntimeError('refused', `no subnet of ${pool} is free for another bridge`, {
    op: 'engine.network',
    hint: 'Give the host a larger pool of networks.',
  });
}

/** Whether this machine is in that subnet, or it in one of this machine's. */
export function isHere({ gateway }: Subnet): boolean {
  const net = toNumber(gateway) >>> 8;
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some(({ family, address, netmask }) => {
      if (family !== 'IPv4') return false;
      const mask = toNumber(netmask);
      return (
        toNumber(address) >>> 8 === net ||
        (toNumber(address) & mask) >>> 0 === (toNumber(gateway) & mask) >>> 0
      );
    });
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
}
