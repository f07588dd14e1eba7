import type { Duplex } from 'node:stream';
import type { Secret } from '../../base/secret.ts';
import type { Egress, Resources } from '../bots/botSpec.ts';

export type { Egress, Resources } from '../bots/botSpec.ts';

/**
 * The room of sandboxes: bots that somebody asks for by a protocol, instead of by a file. A sandbox is a realtime bot of the host whose
 * disk is the bot's state; `runtime box` is its first process, and serves its commands, files, processes and terminals from inside. The
 * host's loop starts, watches and stops it; here is only written down what is wanted.
 *
 *   record, openRecordFiles   what is written down of each, before it is acted upon
 *   sandboxSource, specOf     the bots that they are, for the loop
 *   roster                    all of them, as they are written down and seen: `statusOf`, and `watchReach`, who listens inside already
 *   keepSandboxes             what can be asked; `openSandboxes` puts it together
 *   housekeeping              what is `due` without anybody asking
 *   policy/                   what may be asked at all
 *   shared/                   hosts with one store: each sandbox is one host's, or nobody's
 */

/** Errors: `not-found`, `conflict` (another status), `denied` (policy), `unavailable` (no room: `facts` say what is short), `config`. */
export interface Sandboxes {
  /** Resolves when it is written down: it is `pending` or `provisioning` then. */
  create(request: NewSandbox): Promise<Sandbox>;
  /** From memory: clients ask before each call. */
  find(id: string): Sandbox | undefined;
  /** Those of this host. */
  all(): readonly Sandbox[];
  /** Other hosts may have the same store, and resume what this one has stopped. */
  readonly sharesStore: boolean;
  /**
   * Looks one up that this host does not have, where hosts share a store. `here`: `find` has it from now on, and any host may resume, read or
   * remove it. `takeFrom`: also where that host has it, which somebody knows to be gone for good. Throws `unavailable`.
   */
  visit(id: string, takeFrom?: string): Promise<Visited>;
  /** Ends it and saves its disk; resolves at once, `until` tells when it is done. */
  stop(id: string, cause: Cause): Promise<Sandbox>;
  /** Starts it again from no less than what was saved. */
  resume(id: string): Promise<Sandbox>;
  /** Its disk as well, after `keepDeleted`. */
  remove(id: string, cause: Cause): Promise<void>;
  /** Milliseconds; undefined: it is never stopped for being idle. */
  setIdleTimeout(id: string, idleMs: number | undefined): Promise<Sandbox>;
  /** Of one that does not run (`conflict` otherwise): from its next start on. */
  setEgress(id: string, egress: Egress): Promise<Sandbox>;
  /** Somebody uses it: it is not idle. */
  touch(id: string): void;
  /** Resolves with it once it has one of these statuses. */
  until(id: string, statuses: readonly SandboxStatus[], signal: AbortSignal): Promise<Sandbox>;
  /** A connection to a port inside of one that runs. */
  dial(id: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** What stands still inside because somebody there has stopped it (SIGSTOP), its first process and who supervises it, goes on. */
  wake(id: string, signal: AbortSignal): Promise<void>;
  /** What its own API inside asks for: never given to a client. */
  boxToken(id: string): Secret;
  /** What `POST /_runtime/publish` on its port 9476 asks for; as that one. */
  publishToken(id: string): Secret;
  /** What its agent (`/_runtime/agent` on that port) asks for. */
  agentToken(id: string): Secret;
  /** Also told of one that is removed, or that another host has taken (`moved`): `find` has it no more then. */
  changes(listener: (sandbox: Sandbox, what?: 'moved') => void): () => void;
}

export type Visited =
  | 'here'
  /** No host that shares this one's store has one of this name; or it shares its store with nobody. */
  | 'nowhere'
  /** Another host has it. */
  | { readonly host: string; readonly owner: string };

/** Why something became of a sandbox. */
export type Cause = 'user' | 'idle' | 'lifetime' | 'host-lost' | 'policy' | 'failed';

/** The six that clients know. */
export const SANDBOX_STATUSES = [
  'pending',
  'provisioning',
  'running',
  'stopped',
  'failed',
  'expired',
] as const;
export type SandboxStatus = (typeof SANDBOX_STATUSES)[number];

/** All of it checked by the policy before. Times are milliseconds, sizes bytes. */
export interface NewSandbox {
  /** Whoever asked: the name of a key. Others do not see it. */
  readonly owner: string;
  readonly name: string | undefined;
  /** Undefined: the host's own. */
  readonly image: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** As `env`, from the owner's secrets. */
  readonly secretEnv: Readonly<Record<string, Secret>>;
  readonly resources: Resources;
  readonly egress: Egress;
  readonly lifetimeMs: number | undefined;
  readonly idleMs: number | undefined;
  /** Which parts of its API inside are open: names of the protocol's; undefined: all. */
  readonly tools: readonly string[] | undefined;
  /** Given back as it came. */
  readonly metadata: unknown;
  /** Its agent: a kind that answers messages, and its code. Undefined: it has none. */
  readonly agent:
    | { readonly runtime: string; readonly code: string; readonly entrypoint: string }
    | undefined;
  /** Whose disk it begins with; `sequence` undefined: the newest snapshot. */
  readonly from: { readonly sandbox: string; readonly sequence: number | undefined } | undefined;
  /** The same key of the same owner and the same request: the same sandbox; another request is a `conflict`. */
  readonly idempotencyKey: string | undefined;
}

export interface Sandbox extends Omit<NewSandbox, 'secretEnv' | 'from'> {
  /** BOT_ID of its bot. */
  readonly id: string;
  readonly status: SandboxStatus;
  /** Which of the hosts it is on; undefined: on none. */
  readonly host: string | undefined;
  /** Only looked up in the store: resumed here, it comes here. */
  readonly isVisiting?: boolean;
  /** How often a host has taken it, where hosts share a store. */
  readonly moves?: number;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly lastActivityAt: number;
  readonly expiresAt: number | undefined;
  /** Of `failed`, and why it stopped otherwise. */
  readonly error: string | undefined;
  readonly cause: Cause | undefined;
}
