import { type Finding, warn } from '../../base/finding.ts';
import { hostLabel } from '../engine/docker/containers/labels.ts';
import { createDockerClient } from '../engine/docker/http/dockerClient.ts';
import { parseEngineAddress } from '../engine/docker/http/engineAddress.ts';
import { passChain } from '../engine/docker/networks/passThroughDocker.ts';
import { tableName } from '../engine/docker/networks/ruleset.ts';
import { runFilter } from '../engine/docker/networks/runFilter.ts';
import type { HostCheck } from './patient.ts';

/** Names in a message. */
const SHOWN = 3;

/** Rules of hosts that have no bridge on this engine any more: nothing else would ever say that they are there. */
export const leftovers: HostCheck = {
  name: 'leftovers',
  async run({ socket, signal }) {
    const client = createDockerClient(parseEngineAddress(socket));
    try {
      const networks = await client.call<readonly { readonly Labels: Record<string, string> | null }[]>({
        ...{ op: 'doctor.networks', subject: 'networks', method: 'GET', path: '/networks', signal },
        query: { filters: JSON.stringify({ label: [hostLabel] }) },
      });
      const hosts = new Set(networks.map(({ Labels }) => Labels?.[hostLabel] ?? ''));
      const rules = await runFilter('iptables', ['--wait', '5', '-S']);
      const tables = await runFilter('nft', ['list', 'tables']);
      return leftoverFindings({ rules, tables, hosts });
    } catch {
      // The checks of the engine and of the packet filter say what is the matter.
      return [];
    } finally {
      client.close();
    }
  },
};

/** `rules` as of `iptables -S`, `tables` as of `nft list tables`; `hosts` that have a bridge. */
export function leftoverFindings(seen: {
  readonly rules: string;
  readonly tables: string;
  readonly hosts: ReadonlySet<string>;
}): Finding[] {
  const living = new Set([...seen.hosts].flatMap((host) => [passChain(host), tableName(host)]));
  const gone = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name]) => name!).filter((name) => !living.has(name));
  const chains = gone(seen.rules, /^-N (RUNTIME-[0-9a-f]{12})$/gm);
  const tables = gone(seen.tables, /^table inet (runtime_[0-9a-f]{12})$/gm);
  return [
    ...leftover('chains in DOCKER-USER', chains, [
      'iptables -D DOCKER-USER -j NAME',
      'iptables -F NAME',
      'iptables -X NAME',
    ]),
    ...leftover('tables of nftables', tables, ['nft delete table inet NAME']),
  ];
}

function leftover(what: string, names: readonly string[], remedy: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const shown = `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ', …' : ''}`;
  return [
    warn(
      'leftovers',
      `${names.length} ${what} are of hosts that are gone: ${shown}`,
      `For each: ${remedy.join('; ')}. Before a host goes: runtime host remove.`,
    ),
  ];
}
