import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Sandboxes } from '../../host/sandboxes/sandboxes.ts';
import type { ToolsOf } from './runtime/openSandbox.ts';
import type { Connect } from './sandboxes/connections.ts';

/** What every part of the API is made of; each exports a function from these to its routes, and stands in `allRoutes`. */
export interface Parts {
  readonly sandboxes: Sandboxes;
  /** What outlives the server: keys, policy, events. Its owner's alone. */
  readonly folder: string;
  readonly connect: Connect;
  readonly toolsOf: ToolsOf;
  readonly clock: Clock;
  readonly log: Logger;
}
