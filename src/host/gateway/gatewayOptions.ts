import type { Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { Engine } from '../engine/engine.ts';
import type { Instances } from '../instances/instances.ts';

export interface GatewayOptions {
  readonly api: HostApi;
  readonly engine: Engine;
  readonly instances: Instances;
  /** Tag of a bot's head in the store; undefined: nothing is saved yet. */
  readonly stateVersion: (bot: string, signal: AbortSignal) => Promise<string | undefined>;
  /** How many workers wait for a bot that does not run, and where they are given what is its, a folder of their own. */
  readonly waiting: { readonly size: number; readonly folder: string };
  /** While it is true no container is started. */
  readonly draining: () => boolean;
  /** 0: any that is free. */
  readonly port: number;
  /** Who reaches the port; default: all. */
  readonly who?: 'all' | 'this-machine';
  /** RUNTIME_QUERY_TOKEN; undefined: everybody who reaches the port may ask. */
  readonly token: Secret | undefined;
  /** Signs the tokens of single bots. */
  readonly tokenKey: Secret;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly limits?: Partial<GatewayLimits>;
}

export interface GatewayLimits {
  /** Queries under way. */
  readonly perBot: number;
  readonly inAll: number;
  /** Containers for bots that do not run. */
  readonly workers: number;
  /** Bytes of answers that clients have not taken yet: of one bot, and of all. */
  readonly unsentPerBot: number;
  readonly unsent: number;
}

export const usualLimits: GatewayLimits = {
  perBot: 64,
  inAll: 4096,
  workers: 64,
  unsentPerBot: 64 * 2 ** 20,
  unsent: 256 * 2 ** 20,
};
