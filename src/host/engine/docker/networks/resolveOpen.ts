import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { type Reachable, thisMachine } from './networkOptions.ts';
import type { OpenPort } from './ruleset.ts';

export interface Opened {
  readonly open: readonly OpenPort[];
  readonly openHere: readonly number[];
  /** Name → address: bots that may ask no name server still find what is open to them. */
  readonly names: Readonly<Record<string, string>>;
  /** What could not be resolved. */
  readonly unknown: readonly string[];
}

/** The addresses of what every bot may reach. */
export async function resolveOpen(reachable: readonly Reachable[]): Promise<Opened> {
  const open: OpenPort[] = [];
  const openHere: number[] = [];
  const names: Record<string, string> = {};
  const unknown: string[] = [];
  for (const { host, port } of reachable) {
    if (host === thisMachine) openHere.push(port);
    else if (isIPv4(host)) open.push({ address: host, port });
    else {
      const found = await lookup(host, { all: true, family: 4 }).catch(() => []);
      if (found.length === 0) unknown.push(host);
      for (const { address } of found) open.push({ address, port });
      if (found[0]) names[host] = found[0].address;
    }
  }
  return { open, openHere, names, unknown };
}

/** Name servers of this machine that bots reach themselves; those on loopback the engine asks for them. */
export function resolversHere(): string[] {
  let text: string;
  try {
    text = readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].flatMap(([, address = '']) =>
    isIPv4(address) && !address.startsWith('127.') ? [address] : [],
  );
}
