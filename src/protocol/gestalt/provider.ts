import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Engine } from '../../host/engine/engine.ts';
import type { LogHost } from './logHost.ts';
import type { ProviderConfig } from './providerConfig.ts';
import type { Sessions } from './sessions.ts';

/** What every call works with, once the provider has been configured. */
export interface Provider {
  readonly config: ProviderConfig;
  /** Sees the containers of this instance alone. */
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly logHost: LogHost | undefined;
  /** Where sessions have their folders; removed with the provider. */
  readonly folder: string;
  /** The static helper that is a session's first process; undefined: not there, so no policy can be held. */
  readonly relay: string | undefined;
  /** gestaltd's filter proxy, where the provider itself is held to it. */
  readonly proxy: string | undefined;
  /** Part of every session's id: another one for each life of the provider. */
  readonly life: string;
  /** `owner.ts`. */
  readonly owner: string;
  /** Aborted when the provider ends: nothing is tried again then. */
  readonly closing: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}
