import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { DockerClient } from './http/dockerClient.ts';

/** What every part of the driver works with. */
export interface DockerContext {
  readonly client: DockerClient;
  /** Value of the label `runtime.host`: what does not carry it is not ours. */
  readonly host: string;
  /** When this machine was started, milliseconds; undefined: the engine is on another. */
  readonly bootedAt: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}
