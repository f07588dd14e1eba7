import type { Registry } from 'prom-client';
import type { Secret } from '../../base/secret.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { SecretEnv } from '../credentials/credentials.ts';
import type { Folders } from '../data/folders.ts';
import type { Engine } from '../engine/engine.ts';
import type { Source } from '../sources/source.ts';
import type { HostStores } from './openHostStores.ts';

/** What runs on a host because a protocol asks for it. */
export type OpenGuests = (parts: GuestParts) => Promise<Guests>;

export interface GuestParts {
  readonly folders: Folders;
  /** The host's name on the engine. */
  readonly id: string;
  readonly tokenKey: Secret;
  readonly stores: HostStores;
}

export interface Guests {
  readonly source: Source;
  readonly secretEnv: (spec: BotSpec) => SecretEnv;
  /** Once the host's parts stand; what it opens ends with `closing`. Rejects when it cannot be served. */
  serve(host: GuestHost): Promise<void>;
}

export interface GuestHost {
  readonly api: HostApi;
  /** Its name on the engine. */
  readonly id: string;
  readonly engine: Engine;
  readonly isReady: () => boolean;
  readonly registry: Registry;
  readonly closing: AsyncDisposableStack;
}
