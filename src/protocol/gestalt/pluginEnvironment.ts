import type { Relay } from './egress.ts';
import { NAMES, PARENT_PIDS, SOCKETS } from './generations.ts';

/** Where the session's shared folder is inside the container. */
export const SHARED = '/run/gestalt';
export const PLUGIN_SOCKET = `${SHARED}/plugin.sock`;
export const CA_FILE = `${SHARED}-ca.pem`;

/** A relay as the session reaches it: a port of its own loopback. */
export interface LocalRelay extends Relay {
  readonly localPort: number;
}

export interface PluginEnvironmentOptions {
  readonly pluginName: string;
  /** As gestaltd gave it. */
  readonly env: Readonly<Record<string, string>>;
  /** By variable: a path inside, or what is passed on as it is. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Empty: the session has a network. */
  readonly relays: readonly LocalRelay[];
}

/**
 * A plugin's environment. Not among it: the number of its parent, which would end it within half a second, since its parent has
 * another number inside.
 */
export function pluginEnvironment({
  pluginName,
  env,
  bindings,
  relays,
}: PluginEnvironmentOptions): Record<string, string> {
  const made: Record<string, string> = { ...env, ...bindings };
  for (const [name, value] of Object.entries(made)) made[name] = reachable(value, relays);
  if (made.GESTALT_HOST_SERVICE_TLS_CA_FILE) made.GESTALT_HOST_SERVICE_TLS_CA_FILE = CA_FILE;
  for (const name of PARENT_PIDS) delete made[name];
  // By every name that an SDK knows: which one the plugin was made with, nobody says.
  for (const name of SOCKETS) made[name] = PLUGIN_SOCKET;
  for (const name of NAMES) made[name] = pluginName;
  return made;
}

/** Each name in `/etc/hosts` of a session without a network: a certificate is checked against the name that it is asked by. */
export function loopbackNames(relays: readonly Relay[]): string[] {
  return [...new Set(relays.map(({ host }) => host).filter((host) => !isAddress(host)))];
}

/** Ports of the loopback for relays: each its own where no other has it. */
export function localRelays(relays: readonly Relay[]): LocalRelay[] {
  const taken = new Set<number>();
  return relays.map((relay) => {
    // Below 1024 a session may not listen.
    let localPort = relay.port < 1024 ? relay.port + 20_000 : relay.port;
    while (taken.has(localPort)) localPort = (localPort % 65_535) + 1;
    taken.add(localPort);
    return { ...relay, localPort };
  });
}

/** `tcp://172.17.0.1:8080` becomes `tcp://127.0.0.1:8080`; a host name stays, and means the loopback inside. */
function reachable(value: string, relays: readonly LocalRelay[]): string {
  const parts = /^([a-z]+:\/\/(?:[^@/]*@)?)(\[[^\]]+\]|[^:/]+):(\d{1,5})(\/?)$/.exec(value);
  if (parts === null) return value;
  const [, start, host = '', port, end] = parts;
  const relay = relays.find(
    (known) => known.host === host.replace(/^\[|\]$/g, '') && known.port === Number(port),
  );
  if (relay === undefined) return value;
  return `${start}${isAddress(relay.host) ? '127.0.0.1' : relay.host}:${relay.localPort}${end}`;
}

const isAddress = (host: string) => /^[0-9.]+$|:/.test(host);
