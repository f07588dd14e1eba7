/** How bots are attached. */
export type NetworkOptions =
  /** Bridges of our own, closed by the kernel's packet filter. */
  | {
      readonly type: 'own';
      /** What every bot may reach whatever its `network.egress` says: the store, the host's own proxy. */
      readonly reachable: readonly Reachable[];
      /** `10.231.0.0/16`: where the bridges take their subnets from, a /24 each. */
      readonly pool: string;
    }
  /** A network of the engine's that is there already. What bots reach in it is the operator's business. */
  | { readonly type: 'existing'; readonly name: string };

export interface Reachable {
  /** A name or an address. `host.docker.internal`: this machine, as seen from a bot. */
  readonly host: string;
  readonly port: number;
}

/** What bots call the machine that they run on. */
export const thisMachine = 'host.docker.internal';

export const defaultNetworks: NetworkOptions = { type: 'own', reachable: [], pool: '10.231.0.0/16' };
