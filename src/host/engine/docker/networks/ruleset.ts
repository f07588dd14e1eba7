import { hash } from 'node:crypto';
import { privateNetworks } from '../../privateNetworks.ts';
import type { Bridge } from './bridge.ts';

export interface OpenPort {
  /** IPv4 address. */
  readonly address: string;
  readonly port: number;
}

export interface Rules {
  readonly bridges: readonly Bridge[];
  readonly open: readonly OpenPort[];
  /** Ports of this machine, on whichever of its addresses. */
  readonly openHere: readonly number[];
  /** Name servers that bots ask through their bridge. */
  readonly resolvers: readonly string[];
}

export function tableName(host: string): string {
  return `runtime_${hash('sha256', host).slice(0, 12)}`;
}

/**
 * A table of our own, replaced whole in one transaction: there is no moment without rules, and neither the engine nor another
 * host touches it. It only takes away: what passes here still has to pass the engine's own rules. Nothing opens a
 * connection to a bot but this machine itself; a bot opens connections to what is open and to what its bridge allows; it
 * reaches no port of this machine but those that are open.
 */
export function ruleset(host: string, rules: Rules): string {
  const table = `table inet ${tableName(host)}`;
  const { bridges, openHere, resolvers } = rules;
  if (bridges.length === 0) return `${table} {}\ndelete ${table}\n`;
  const devices = (of: readonly Bridge[]) => `{ ${of.map(({ device }) => `"${device}"`).join(', ')} }`;
  const internet = bridges.filter(({ egress }) => egress === 'internet');
  const named = bridges.filter(({ egress }) => egress !== 'none');
  const open = rules.open.map(({ address, port }) => `ip daddr ${address} tcp dport ${port} accept`);
  const here = openHere.map((port) => `ip daddr != 127.0.0.0/8 tcp dport ${port} accept`);
  // A port of this machine that the engine has redirected into a container.
  const redirected = [
    ...openHere.map((port) => `meta l4proto tcp ct status dnat ct original proto-dst ${port} accept`),
    ...rules.open.map(
      ({ address, port }) =>
        `meta l4proto tcp ct status dnat ct original ip daddr ${address} ct original proto-dst ${port} accept`,
    ),
  ];
  const names = resolvers.map(
    (address) => `iifname ${devices(named)} ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`,
  );
  const networks = bridges.flatMap(({ device, egress }) =>
    typeof egress === 'string' || egress.length === 0
      ? []
      : [`iifname "${device}" ip daddr { ${egress.join(', ')} } accept`],
  );
  const lines = (rules: readonly string[]) => rules.map((rule) => `    ${rule}\n`).join('');
  return `${table} {}
delete ${table}
${table} {
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname ${devices(bridges)} oifname ${devices(bridges)} drop
    oifname ${devices(bridges)} ct state established,related accept
    oifname ${devices(bridges)} drop
    iifname ${devices(bridges)} jump out
  }
  chain input {
    type filter hook input priority -10; policy accept;
    iifname ${devices(bridges)} jump here
  }
  chain out {
    ct state established,related accept
    meta nfproto ipv6 drop
${lines([...open, ...redirected, ...(named.length > 0 ? names : []), ...networks])}${lines(
  internet.length > 0
    ? [`iifname ${devices(internet)} ip daddr != { ${privateNetworks.join(', ')} } accept`]
    : [],
)}    reject with icmp type admin-prohibited
  }
  chain here {
    ct state established,related accept
    meta nfproto ipv6 drop
${lines([...open, ...here, ...(named.length > 0 ? names : [])])}    reject with icmp type admin-prohibited
  }
}
`;
}
