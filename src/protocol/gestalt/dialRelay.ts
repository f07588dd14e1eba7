import { request } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Relay } from './egress.ts';

const CONNECT_MS = 10_000;

/**
 * A connection to a relay of gestaltd. Inside gestaltd's sandbox the kernel refuses every port but that of its filter proxy (EACCES):
 * there, and only there, through that proxy. Rejects with the error of the last try.
 */
export async function dialRelay(relay: Relay, proxy: string | undefined): Promise<Socket> {
  try {
    return await dial({ host: relay.host, port: relay.port });
  } catch (error) {
    const isForbidden = (error as NodeJS.ErrnoException).code === 'EACCES';
    if (!isForbidden || proxy === undefined || !URL.canParse(proxy)) throw error;
    return await throughProxy(relay, new URL(proxy));
  }
}

/** A connection to a Unix socket of this machine. */
export const dialSocket = (path: string): Promise<Socket> => dial({ path });

function dial(target: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, allowHalfOpen: true });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function throughProxy(
  { host, port }: Relay,
  { hostname, port: proxyPort, username, password }: URL,
): Promise<Socket> {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return new Promise((resolve, reject) => {
    const asked = request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxyPort || 80),
      method: 'CONNECT',
      path: target,
      timeout: CONNECT_MS,
      headers: {
        host: target,
        ...(username !== '' && { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
      },
    });
    asked.once('timeout', () => asked.destroy(new Error(`the proxy did not answer within ${CONNECT_MS} ms`)));
    asked.once('error', reject);
    asked.once('connect', ({ statusCode }, socket: Socket, head) => {
      if (statusCode !== 200) {
        socket.destroy();
        reject(
          new Error(
            `the proxy refuses ${target}: ${statusCode}. Is it in the provider's egress.allowedHosts?`,
          ),
        );
        return;
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.end();
  });
}
