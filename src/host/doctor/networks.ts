import { readFileSync } from 'node:fs';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { BOTS_PER_BRIDGE } from '../engine/docker/networks/bridge.ts';
import { isHere } from '../engine/docker/networks/freeSubnet.ts';
import { runFilter } from '../engine/docker/networks/runFilter.ts';
import { subnets } from '../engine/docker/networks/subnets.ts';
import type { HostCheck } from './patient.ts';

/** Whether bots can be kept apart, and how many have a place. */
export const networks: HostCheck = {
  name: 'networks',
  async run({ networks: options }) {
    if (options.type === 'existing')
      return [
        warn(
          'networks',
          `bots share the network ${options.name} and reach all that is in it, each other too`,
          'Leave the network unset, and each bot is closed in by the host.',
        ),
      ];
    return [await filter(), bridged(), places(options.pool)];
  },
};

async function filter(): Promise<Finding> {
  try {
    await runFilter('nft', ['list', 'tables']);
    return ok('packet filter', 'nftables answers: bots can be kept apart');
  } catch (error) {
    return fail('packet filter', error);
  }
}

/** Without it, what two bots of one bridge say to each other passes no rule. */
function bridged(): Finding {
  const file = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  let text: string | undefined;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    // The module is not loaded.
  }
  if (text === '1') return ok('bridges', 'what passes a bridge passes the packet filter');
  return warn(
    'bridges',
    'bots of one bridge may reach each other',
    'modprobe br_netfilter and sysctl -w net.bridge.bridge-nf-call-iptables=1; the engine does so with its first bridge.',
  );
}

export function places(pool: string): Finding {
  const all = [...subnets(pool)];
  const free = all.filter((subnet) => !isHere(subnet)).length;
  const bots = free * BOTS_PER_BRIDGE;
  if (free > 0) return ok('places', `${free} of ${all.length} subnets of ${pool} are free: ${bots} bots`);
  return warn(
    'places',
    `no subnet of ${pool} is free for another bridge`,
    'Give the host a larger pool of networks.',
  );
}
