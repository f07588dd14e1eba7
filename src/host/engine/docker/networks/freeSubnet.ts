import { readFileSync } from 'node:fs';
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
  return [...ownNetworks(), ...routedNetworks()].some(
    ({ address, mask }) =>
      address >>> 8 === toNumber(gateway) >>> 8 ||
      (address & mask) >>> 0 === (toNumber(gateway) & mask) >>> 0,
  );
}

interface Network {
  readonly address: number;
  readonly mask: number;
}

function ownNetworks(): Network[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address, netmask }) => ({ address: toNumber(address), mask: toNumber(netmask) }));
}

/**
 * Those that the kernel reaches without a gateway. Node lists no interface that nothing is plugged into, as a bridge without containers
 * is that another engine has, or one that was killed: two with the same subnet, and answers go to the wrong one.
 */
function routedNetworks(): Network[] {
  try {
    return parseRoutes(readFileSync('/proc/net/route', 'latin1'));
  } catch {
    return [];
  }
}

/** Of the kernel's table of routes, where addresses are hexadecimal with their first byte last. */
export function parseRoutes(table: string): Network[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(
      ([, , gateway, , , , , mask]) => gateway === '00000000' && mask !== undefined && mask !== '00000000',
    )
    .map(([, address = '', , , , , , mask = '']) => ({ address: fromHex(address), mask: fromHex(mask) }));
}

const fromHex = (text: string): number => Buffer.from(text, 'hex').readUInt32LE();

function toNumber(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
}
