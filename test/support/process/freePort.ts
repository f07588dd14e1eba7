import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * What nobody gets by chance: below the ports that the system gives to connections and to whoever asks for any (32,768 on), and below
 * those of Kubernetes' services. Each worker of a run has every sixteenth of them.
 */
const FIRST = 12_000;
const LAST = 29_999;
const STEP = 16;
const worker = Number(process.env.VITEST_POOL_ID ?? 0) % STEP;
const most = Math.floor((Math.min(LAST, lowestGiven() - 1) - FIRST) / STEP);
let next = Math.floor(Math.random() * most);

/** A port that was free a moment ago, and that nobody takes who has not been given it here. */
export async function freePort(): Promise<number> {
  // A system that gives all of them has none that are left alone.
  if (most < 100) return (await boundTo(0))!;
  for (;;) {
    next = (next + 1) % most;
    const port = await boundTo(FIRST + next * STEP + worker);
    if (port !== undefined) return port;
  }
}

/** The port, given back; undefined: somebody has it. */
async function boundTo(wanted: number): Promise<number | undefined> {
  const server = createServer().listen(wanted);
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function lowestGiven(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return 0;
  }
}
