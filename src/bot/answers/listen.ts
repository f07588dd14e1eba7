import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeError, systemCode } from '../../base/errors.ts';

/**
 * Listens on every address, IPv6 and IPv4 (only the latter where there is no IPv6), or where only this machine is to reach it on
 * IPv4's loopback; gives the port. `variable` is the one that names another port.
 */
export async function listen(
  server: Server,
  port: number,
  who: 'all' | 'this-machine' = 'all',
  variable = 'QUERY_PORT',
): Promise<number> {
  try {
    await tryListen(server, port, who === 'all' ? '::' : '127.0.0.1').catch((error: unknown) => {
      if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(systemCode(error) ?? '')) throw error;
      return tryListen(server, port, '0.0.0.0');
    });
  } catch (error) {
    throw new RuntimeError('unavailable', `cannot listen on port ${port} (${systemCode(error)})`, {
      op: 'query.listen',
      retryable: true,
      hint: `Another program has it, or it needs more rights; ${variable} names another.`,
      cause: error,
    });
  }
  return (server.address() as AddressInfo).port;
}

async function tryListen(server: Server, port: number, host: string): Promise<void> {
  server.listen({ port, host });
  await once(server, 'listening');
}
