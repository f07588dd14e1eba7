import { isRuntimeError } from '../../../../base/errors.ts';
import type { Egress } from '../../../bots/botSpec.ts';
import type { ContainerSummary } from '../containers/container.ts';
import { hostLabel } from '../containers/labels.ts';
import { stateOf } from '../containers/toInstance.ts';
import type { DockerContext } from '../dockerContext.ts';
import { BOTS_PER_BRIDGE, type Bridge, bridgeLabel, bridgeName, deviceOf, egressClass } from './bridge.ts';
import { withFreeSubnet } from './freeSubnet.ts';

/** A place that was given out and whose container has not been seen by then has come to nothing. Milliseconds. */
const RESERVED_MS = 10 * 60_000;
const CREATE_MS = 30_000;
/** A bridge that nobody has been on for so long is taken away: each list of networks that bots ever had would keep its own. */
const EMPTY_MS = 3_600_000;

interface NetworkSummary {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly IPAM: { readonly Config: readonly { readonly Gateway?: string }[] | null };
}

/** Our bridges and how many bots are on each. */
export interface Bridges {
  all(): readonly Bridge[];
  /** Reads from the engine which there are. */
  load(signal: AbortSignal): Promise<void>;
  /** A bridge of that policy with a place left; `make` is called where there is none. One at a time. */
  reserve(name: string, egress: Egress, make: (bridge: Bridge) => Promise<void>): Promise<Bridge>;
  release(name: string): void;
  /** A listing says who is where. */
  seen(summaries: readonly ContainerSummary[]): void;
  /** Takes bridges away that have been empty for an hour. */
  dropEmpty(signal: AbortSignal): Promise<void>;
}

export function createBridges({ client, host, clock }: DockerContext, pool: string): Bridges {
  const bridges = new Map<string, Bridge>();
  const reserved = new Map<string, { readonly network: string; readonly at: number }>();
  /** When a listing first showed nobody on a bridge. */
  const emptySince = new Map<string, number>();
  let listed = new Map<string, string>();

  const count = (network: string): number => {
    let places = 0;
    for (const on of listed.values()) if (on === network) places += 1;
    for (const [name, place] of reserved) if (place.network === network && !listed.has(name)) places += 1;
    return places;
  };

  async function load(signal: AbortSignal): Promise<void> {
    const filters = JSON.stringify({ label: [`${hostLabel}=${host}`] });
    const request = { op: 'engine.network', subject: 'networks', path: '/networks', query: { filters } };
    const found = await client.call<readonly NetworkSummary[]>({ ...request, method: 'GET', signal });
    bridges.clear();
    for (const network of found) {
      const bridge = readBridge(network);
      if (bridge) bridges.set(bridge.name, bridge);
    }
  }

  return {
    all: () => [...bridges.values()],
    load,

    async reserve(name, egress, make) {
      const wanted = egressClass(egress);
      const withPlace = () =>
        [...bridges.values()].find(
          (one) => egressClass(one.egress) === wanted && count(one.name) < BOTS_PER_BRIDGE,
        );
      let bridge = withPlace();
      if (!bridge) {
        // A host of another part of the same bots may have made one.
        await load(AbortSignal.timeout(CREATE_MS));
        bridge = withPlace();
      }
      if (!bridge) {
        let number = 0;
        while (bridges.has(bridgeName(host, egress, number))) number += 1;
        const taken = new Set([...bridges.values()].map(({ gateway }) => gateway));
        const own = bridgeName(host, egress, number);
        const made = withFreeSubnet(pool, taken, async ({ subnet, gateway }) => {
          const next: Bridge = { name: own, device: deviceOf(own), egress, gateway };
          // Rules first: they name a device that is not there yet.
          await make(next);
          await client.call({
            op: 'engine.network',
            subject: own,
            method: 'POST',
            path: '/networks/create',
            body: networkBody(next, subnet, host),
            timeoutMs: CREATE_MS,
            signal: AbortSignal.timeout(CREATE_MS),
          });
          return next;
        });
        bridge = await made.catch(async (error) => {
          // It does so at this moment: the engine minds the network's name, or with another subnet the device's.
          const isTaken =
            isRuntimeError(error, 'conflict') ||
            (isRuntimeError(error, 'refused') && /same bridge name/.test(error.message));
          if (!isTaken) throw error;
          await load(AbortSignal.timeout(CREATE_MS));
          const theirs = bridges.get(own);
          if (theirs === undefined) throw error;
          return theirs;
        });
        bridges.set(bridge.name, bridge);
      }
      reserved.set(name, { network: bridge.name, at: clock.now() });
      return bridge;
    },

    release: (name) => void reserved.delete(name),

    seen(summaries) {
      // One that has ended has given its address back.
      const attached = summaries.filter(({ State }) => stateOf(State) !== 'ended');
      listed = new Map(
        attached.map(({ Id, Names, HostConfig }) => [
          Names?.[0]?.replace(/^\//, '') ?? Id,
          HostConfig?.NetworkMode ?? '',
        ]),
      );
      const oldest = clock.now() - RESERVED_MS;
      for (const [name, { at }] of reserved) if (at < oldest) reserved.delete(name);
      for (const name of bridges.keys()) {
        if (count(name) > 0) emptySince.delete(name);
        else if (!emptySince.has(name)) emptySince.set(name, clock.now());
      }
    },

    async dropEmpty(signal) {
      for (const [name, since] of emptySince) {
        if (bridges.has(name) && (count(name) > 0 || clock.now() - since < EMPTY_MS)) continue;
        emptySince.delete(name);
        if (!bridges.has(name)) continue;
        const path = `/networks/${name}`;
        try {
          const request = { op: 'engine.network', subject: name, path, timeoutMs: CREATE_MS, signal };
          await client.call({ ...request, method: 'DELETE' });
        } catch (error) {
          // Somebody has plugged something else into it; or another part of the host was first.
          if (isRuntimeError(error, 'refused')) continue;
          if (!isRuntimeError(error, 'not-found')) throw error;
        }
        bridges.delete(name);
      }
    },
  };
}

function networkBody({ name, device, egress, gateway }: Bridge, subnet: string, host: string) {
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: 'bridge',
    EnableIPv6: false,
    IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] },
    Labels: { [hostLabel]: host, [bridgeLabel]: JSON.stringify(egress) },
    Options: {
      'com.docker.network.bridge.name': device,
      'com.docker.network.bridge.enable_icc': 'false',
      'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
    },
  };
}

/** Undefined: a network of ours that is none of these. */
function readBridge({ Name, Labels, IPAM }: NetworkSummary): Bridge | undefined {
  const gateway = IPAM.Config?.[0]?.Gateway;
  const text = Labels?.[bridgeLabel];
  if (gateway === undefined || text === undefined) return undefined;
  try {
    return { name: Name, device: deviceOf(Name), egress: JSON.parse(text) as Egress, gateway };
  } catch {
    return undefined;
  }
}
