import type { Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Disks } from '../../host/sandboxes/disk/disks.ts';
import type { Sandboxes } from '../../host/sandboxes/sandboxes.ts';
import type { Secrets } from '../../host/sandboxes/secrets/openSecrets.ts';
import type { SidecarTokens } from './access/sidecarToken.ts';
import type { EventBus } from './events/eventBus.ts';
import type { Previews } from './previews/openPreviews.ts';
import type { ToolsOf } from './runtime/openSandbox.ts';
import type { Ground } from './sandboxes/admission.ts';
import type { Connect } from './sandboxes/connections.ts';
import type { Maker } from './sandboxes/makeSandbox.ts';
import type { Sessions } from './sessions/openSessions.ts';
import type { Snapshots } from './snapshots/openSnapshots.ts';
import type { UsageBook } from './usage/openUsage.ts';

/** What every part of the API is made of; each exports a function from these to its routes, and stands in `allRoutes`. */
export interface Parts extends Ground {
  readonly sandboxes: Sandboxes;
  readonly connect: Connect;
  readonly toolsOf: ToolsOf;
  readonly tokens: SidecarTokens;
  /** There is a key of this name, still. */
  readonly isKey: (name: string) => boolean;
  readonly secrets: Secrets;
  readonly maker: Maker;
  readonly version: string;
  readonly registry: Registry;
  /** Engine and source have answered. */
  readonly isReady: () => boolean;
  readonly bus: EventBus;
  readonly sessions: Sessions;
  readonly usage: UsageBook;
  readonly disks: Disks;
  readonly snapshots: Snapshots;
  readonly previews: Previews;
  readonly clock: Clock;
  readonly log: Logger;
}
