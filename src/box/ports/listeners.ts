import { readFileSync } from 'node:fs';

export interface Listener {
  readonly port: number;
  /** As the kernel's table has it, `::` and `0.0.0.0` for every address. */
  readonly isLoopback: boolean;
}

/** State of a socket that listens (tcp_states.h). */
const LISTENING = '0A';

/** The ports on which anybody inside listens, from `/proc/net/tcp` and `tcp6`, in order. */
export function listeners(): Listener[] {
  const found = new Map<number, Listener>();
  for (const table of ['tcp', 'tcp6']) {
    for (const row of read(`/proc/net/${table}`).split('\n').slice(1)) {
      const [, local = '', , state] = row.trim().split(/\s+/);
      if (state !== LISTENING) continue;
      const [address = '', hex = ''] = local.split(':');
      if (address === ENGINE_DNS) continue;
      const port = Number.parseInt(hex, 16);
      const isLoopback = LOOPBACK.includes(address) && (found.get(port)?.isLoopback ?? true);
      found.set(port, { port, isLoopback });
    }
  }
  return [...found.values()].sort((one, other) => one.port - other.port);
}

/** 127.0.0.11: names in a container of Docker are looked up there. It is not the sandbox's, and no HTTP. */
const ENGINE_DNS = '0B00007F';

/** 127.0.0.1 and ::1, as the kernel of a little-endian machine prints them. */
const LOOPBACK = ['0100007F', '00000000000000000000000001000000'];

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
