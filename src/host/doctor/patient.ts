import type { Env } from '../../base/env.ts';
import type { CheckOf } from '../../base/runChecks.ts';
import type { Config } from '../../bot/config/config.ts';
import type { NetworkOptions } from '../engine/docker/networks/networkOptions.ts';

/** What is looked at: a host before it starts, or beside one that runs. Nothing of it is changed. */
export interface HostPatient {
  /** Throws `config` where the environment says no store, or has another problem. */
  readonly config: () => Promise<Config>;
  /** What would run the bots. */
  readonly driver: 'docker' | 'kubernetes';
  /** Of the cluster; empty: the namespace of who asks. */
  readonly namespace: string;
  readonly env: Env;
  /** Of the engine: DOCKER_HOST, else its usual socket. */
  readonly socket: string | undefined;
  readonly networks: NetworkOptions;
  /** The image of all bots. */
  readonly image: string;
  /** The host's data folder. */
  readonly data: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export type HostCheck = CheckOf<HostPatient>;
