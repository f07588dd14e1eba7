import { RpcError } from './rpcError.ts';

/** What one plugin may reach. */
export type Reach =
  /** No policy: the network that the operator configured. */
  | { readonly type: 'open' }
  /** Nothing but these, each through a forward of ours: gestaltd's own proxy, behind them, knows the host names. */
  | { readonly type: 'relays'; readonly relays: readonly Relay[] };

export interface Relay {
  readonly host: string;
  readonly port: number;
}

export interface Policy {
  readonly env: Readonly<Record<string, string>>;
  readonly allowedHosts: readonly string[];
  readonly defaultAction: string;
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'] as const;

/**
 * A policy is in force when the default is to deny, when gestaltd gives a proxy, or when a host is allowed that is not merely the
 * relay of a host service. Then the relays are all that is left of the network. Throws FAILED_PRECONDITION where hosts are
 * allowed and no proxy tells them apart: that is gestaltd's part.
 */
export function reachOf({ env, allowedHosts, defaultAction }: Policy): Reach {
  const sockets = Object.entries(env).flatMap(([name, value]) =>
    name.endsWith('_SOCKET') ? (parseRelay(value) ?? []) : [],
  );
  const proxies = PROXIES.flatMap((name) => (env[name] ? (parseProxy(env[name]) ?? []) : []));
  const relayHosts = new Set(sockets.map(({ host }) => host));
  const others = allowedHosts.filter((host) => !relayHosts.has(host));
  const denies = defaultAction.toLowerCase() === 'deny';
  if (!denies && proxies.length === 0 && others.length === 0) return { type: 'open' };
  if (others.length > 0 && proxies.length === 0) {
    throw new RpcError(
      'FAILED_PRECONDITION',
      `hosts are allowed by name (${others.slice(0, 3).join(', ')}) and gestaltd gives no proxy that tells them apart`,
    );
  }
  return { type: 'relays', relays: unique([...sockets, ...proxies]) };
}

/** `tcp://host:port` or `tls://host:port`. */
function parseRelay(value: string): Relay | undefined {
  const [, host, port] = /^(?:tcp|tls):\/\/(\[[^\]]+\]|[^:/]+):(\d{1,5})$/.exec(value) ?? [];
  return host === undefined ? undefined : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function parseProxy(value: string): Relay | undefined {
  if (!URL.canParse(value)) return undefined;
  const { hostname, port, protocol } = new URL(value);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

function unique(relays: readonly Relay[]): Relay[] {
  return [...new Map(relays.map((relay) => [`${relay.host} ${relay.port}`, relay])).values()];
}
