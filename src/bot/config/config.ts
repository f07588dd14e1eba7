import type { LogLevel } from '../../base/log.ts';
import type { Owner } from '../../base/owner.ts';
import type { Secret } from '../../base/secret.ts';
import type { Buckets, StoreConfig } from '../../store/storeConfig.ts';
import type { Task } from './task.ts';

/**
 * Everything that environment, flags and files said, read once, checked once, frozen. Contract, section 2.
 * Sizes are bytes, times milliseconds.
 */
export interface Config {
  readonly botId: string;
  /** Id of a runtime kind, aliases resolved: `python3.11`. Empty where the role needs none (`daemon sync`). */
  readonly kind: string;
  /** Relative to the code path, checked not to leave it, except for kinds whose entrypoint is not a file. */
  readonly entrypoint: string;
  readonly queryEntrypoint: string | undefined;
  readonly botType: 'realtime' | 'scheduled';
  /** The bot's configuration: JSON text, known to parse. */
  readonly botConfig: string;
  readonly task: Task;
  /** Words before the command. */
  readonly wrap: readonly string[];
  readonly code: CodeConfig;
  readonly paths: Paths;
  readonly store: StoreConfig;
  readonly buckets: Buckets;
  readonly sync: SyncConfig;
  readonly query: QueryConfig;
  /** Where an agent's usage is sent; undefined: nowhere. */
  readonly telemetry: TelemetryConfig | undefined;
  /** Undefined: the bot is no agent. */
  readonly agent: AgentConfig | undefined;
  /** Required of who has the state published at once; undefined: nobody may. */
  readonly publishToken: Secret | undefined;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** Whom bot and query programs run as; undefined: whoever we are. */
  readonly user: Owner | undefined;
  readonly allowExperimental: boolean;
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json' };
}

export interface CodeConfig {
  /** Key in the code bucket; undefined: the code is already at the code path. */
  readonly file: string | undefined;
  /** Lower-case hex. */
  readonly sha256: string | undefined;
  readonly cache: string | undefined;
  /** Limit on the archive and on what it unpacks to. */
  readonly maxBytes: number;
}

/** Absolute paths. */
export interface Paths {
  readonly code: string;
  readonly state: string;
  /** Where the SDKs keep `<key>.json`; inside `state`. */
  readonly stateDir: string;
  readonly logs: string;
  readonly exitFile: string;
  readonly doneFile: string;
  readonly kinds: string;
}

export interface SyncConfig {
  readonly intervalMs: number;
  /** 0: no publishing on change. */
  readonly onChangeMs: number;
  readonly keep: number;
  readonly freeze: 'auto' | 'off';
  readonly exportTarGz: boolean;
  readonly maxBytes: number;
  readonly maxFileBytes: number | undefined;
}

export interface TelemetryConfig {
  readonly url: string;
  readonly token: Secret | undefined;
  readonly format: 'runtime' | 'hydracore';
}

/** What only agents have: bots that answer messages. */
export interface AgentConfig {
  /** Its program answers messages itself; undefined: its kind says how it is spoken to. */
  readonly entrypoint: string | undefined;
  /** Undefined: the query server's. */
  readonly token: Secret | undefined;
  readonly timeoutMs: number;
  readonly concurrency: number;
}

export interface QueryConfig {
  /** Set: this is an ephemeral query. */
  readonly path: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly resultKey: string | undefined;
  readonly port: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly token: Secret | undefined;
}

/** Whether port 9476 is served while it runs. */
export function isServed({
  botType,
  queryEntrypoint,
  agent,
  publishToken,
}: Pick<Config, 'botType' | 'queryEntrypoint' | 'agent' | 'publishToken'>): boolean {
  return (
    botType === 'realtime' &&
    (queryEntrypoint !== undefined || agent !== undefined || publishToken !== undefined)
  );
}
