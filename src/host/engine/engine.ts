import type { Duplex, Writable } from 'node:stream';
import type { Secret } from '../../base/secret.ts';

import type { Egress, Resources } from '../bots/botSpec.ts';

/**
 * The room of the engines: this interface, `docker/` and `kubernetes/`; test/support/host has the model.
 *
 * What runs instances: Docker, Kubernetes, or a model of them in tests. Every method is safe to repeat, says what the engine
 * has durably done when it resolves, and touches nothing that does not carry our label. Errors: `unavailable` (retryable: the
 * engine does not answer; the request may still have been carried out), `not-found`, `conflict` (the name is taken, or the
 * instance is in another state than the call needs), `refused` (the engine will never do this), `config`.
 */
export interface Engine {
  readonly name: 'docker' | 'kubernetes' | 'model';
  readonly features: EngineFeatures;
  /** What the reference means now. Fetched when it is missing; one fetch for all who wait with the same credentials. */
  image(reference: string, signal: AbortSignal, pull?: PullOptions): Promise<ImageFacts>;
  /** Every instance of this host, whole or not at all: a partial answer is an error. */
  list(signal: AbortSignal): Promise<readonly Instance[]>;
  /**
   * Resolves once subscribed: what changes from then on is told by the instance's name, and by undefined when changes may have
   * been lost. Only a hint; whoever is told looks anew. `ended` resolves when the subscription is over, for whatever reason.
   */
  watch(changed: (name: string | undefined) => void, signal: AbortSignal): Promise<EngineWatch>;
  /** Undefined: there is none of that name with our label. */
  inspect(name: string, signal: AbortSignal): Promise<Instance | undefined>;
  /** Whether there is something of that name without our label: another host's, or somebody's. */
  isTaken(name: string, signal: AbortSignal): Promise<boolean>;
  /** Makes it, does not start it. `conflict` when the name is taken, by whomever. */
  create(spec: InstanceSpec, signal: AbortSignal): Promise<void>;
  /** Starts one that is `created`; `conflict` for one that has been started before: an instance runs once. */
  start(name: string, signal: AbortSignal): Promise<void>;
  /** Asks it to end (SIGTERM) and returns at once. Nothing when it does not run. `graceMs` is what the host will wait before `kill`. */
  stop(name: string, graceMs: number, signal: AbortSignal): Promise<void>;
  /** SIGKILL. Nothing when it does not run. */
  kill(name: string, signal: AbortSignal): Promise<void>;
  /** SIGCONT: what was stopped inside goes on, its first process and what that passes signals on to. Nothing when it does not run. */
  wake?(name: string, signal: AbortSignal): Promise<void>;
  /** Frees the name of one that has ended, keeping it and its output under `to`; where the engine cannot, removes it. */
  retire(name: string, to: string, signal: AbortSignal): Promise<void>;
  /** Removes one that does not run (`conflict` otherwise). Nothing when there is none. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** What it printed, oldest first; goes on while it runs when `follow` is set. */
  logs(name: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogChunk>;
  /** Runs a program inside one that runs (sandboxes; the query pool). */
  exec(name: string, request: ExecRequest, signal: AbortSignal): Promise<ExecProcess>;
  /**
   * A connection to a port of one that runs, from the host; what listens there listens on all addresses. `unavailable` when
   * nobody does. Files go in and out by `copyFiles.ts`.
   */
  dial(name: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Instances that are made before it is known what for; undefined where the engine has no such. */
  readonly standby?: Standby;
  /**
   * Where files come by value: replaces those below `target` in every instance of the bot with this role that has not ended. They
   * appear inside within two minutes; `until` is when they are of no use any more (`Instance.filesUntil`).
   */
  replaceFiles?(request: ReplaceFiles, signal: AbortSignal): Promise<void>;
  capacity(signal: AbortSignal): Promise<Capacity>;
  /** Undefined where hosts of one engine know of one another by other means. */
  place?(signal: AbortSignal): Promise<EnginePlace>;
  close(): Promise<void>;
}

/** Which engine it is, and of which machine: alike for all hosts that ask the same one, other for a copy of either. */
export interface EnginePlace {
  readonly engine: string;
  readonly machine: string;
  /** For people. */
  readonly name: string;
}

export interface EngineFeatures {
  /**
   * Folders of this machine can be mounted: code comes from the host's cache and state outlives the instance. Else an instance
   * fetches both from the store by itself, into space that goes with it, and what the host gives it comes by value.
   */
  readonly folders: boolean;
  readonly exec: boolean;
}

export interface Standby {
  /**
   * The standard input of one made with `InstanceSpec.input`; only the first who asks gets it. When it closes, with the host that
   * holds it, so does what the instance reads.
   */
  input(name: string, signal: AbortSignal): Promise<Writable>;
  /** Other limits for one that runs: memory, processes, processor. */
  limit(name: string, resources: Resources, signal: AbortSignal): Promise<void>;
}

export interface ReplaceFiles {
  readonly bot: string;
  readonly roles: readonly Role[];
  readonly target: string;
  readonly files: Readonly<Record<string, Secret>>;
  readonly until: number;
}

export interface EngineWatch {
  readonly ended: Promise<void>;
}

export interface PullOptions {
  /** For the registry, as the engine takes it; undefined: the engine's own. */
  readonly auth?: Secret | undefined;
  /** Told each step in words, while it is fetched. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface ImageFacts {
  /** Content address: `sha256:…`. Part of an instance's hash. */
  readonly id: string;
}

/** `bot`: a realtime bot. `run`: one run of a scheduled bot. `query`: an ephemeral query. `sandbox`: a session of a protocol. */
export type Role = 'bot' | 'run' | 'query' | 'sandbox';

/** An instance as the engine sees it. The labels that it was made with are its whole identity. */
export interface Instance {
  readonly name: string;
  /** The engine's own id: another one under the same name is another instance. */
  readonly id: string;
  readonly bot: string;
  readonly role: Role;
  /** Hash of everything that made it; see `host/instances/template.ts`. */
  readonly hash: string;
  /** The scheduled time of a `run`, milliseconds. */
  readonly run: number | undefined;
  /** `created`: never started. `ended`: has run and runs no more. `leaving`: being removed. A paused one is `running`. */
  readonly state: 'created' | 'running' | 'ended' | 'leaving';
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Of one that has ended; undefined: the engine lost it (restarted without live-restore). */
  readonly exitCode: number | undefined;
  readonly outOfMemory: boolean;
  /** Why the engine could not start it. */
  readonly error: string | undefined;
  /** Where the host reaches it while it runs. */
  readonly address: string | undefined;
  /** It did not end by itself, nor by `stop`: the engine took it away (a node that was drained), for this reason. */
  readonly takenAway?: string | undefined;
  /** Where files come by value: until when the first of them is of use, milliseconds. */
  readonly filesUntil?: number | undefined;
}

/** All that makes an instance. Equal values, equal instances. */
export interface InstanceSpec {
  readonly name: string;
  readonly bot: string;
  readonly role: Role;
  readonly hash: string;
  readonly run: number | undefined;
  /** `ImageFacts.id`, or a reference. */
  readonly image: string;
  /** Undefined: the image's own entrypoint and command. */
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** As `env`, kept from the engine's own listings where it has a place for secrets. */
  readonly secretEnv: Readonly<Record<string, Secret>>;
  /** What lies in its mounts of type `files`, by their targets. */
  readonly files?: Readonly<Record<string, Readonly<Record<string, Secret>>>>;
  readonly filesUntil?: number | undefined;
  /** Undefined: the image's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Set: not a bot, but a program that comes with an image of its own. */
  readonly guest?: Guest | undefined;
  /** It has a standard input: see `Standby`. */
  readonly input?: true;
  readonly mounts: readonly Mount[];
  readonly resources: Resources;
  readonly egress: Egress;
  readonly stopTimeoutMs: number;
  /** Besides our own `runtime.*`. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Its root file system can be written, and it has what the engine usually gives, less what reaches beyond itself. `egress` counts
 * only where it has a network.
 */
export interface Guest {
  /** Where it begins, absolute; undefined: where its image says. */
  readonly directory?: string | undefined;
  readonly network: boolean;
  /** Name → address, for its own `/etc/hosts`. */
  readonly names: Readonly<Record<string, string>>;
}

export interface Mount {
  /** Absolute path inside. */
  readonly target: string;
  readonly readOnly: boolean;
  /**
   * `folder`: of this machine (file or folder), where the engine has folders. `memory`: a tmpfs. `disk`: space of its own that goes
   * with it; `files`: by value, `InstanceSpec.files`; both where the engine has no folders.
   */
  readonly from:
    | { readonly type: 'folder'; readonly path: string }
    | { readonly type: 'memory'; readonly bytes: number }
    | { readonly type: 'disk'; readonly bytes: number }
    | { readonly type: 'files' };
}

export interface LogOptions {
  /** The last lines alone; undefined: all. */
  readonly tail: number | undefined;
  readonly follow: boolean;
}

export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

export interface ExecRequest {
  /** The program and its arguments: no shell is involved. */
  readonly argv: readonly string[];
  /** Besides the instance's own environment, which every program in it inherits: credentials too, where it has any. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Undefined: the instance's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly stdin: boolean;
  /** A terminal of this size: all output comes as `stdout`, and `^C` is a byte. Left out: pipes. */
  readonly tty?: TtySize;
}

export interface TtySize {
  readonly columns: number;
  readonly rows: number;
}

/** When its signal is aborted, it and all that it has started are killed. */
export interface ExecProcess {
  /** To be read to its end: a program whose output nobody takes stands still. Once only. */
  readonly output: AsyncIterable<LogChunk>;
  /** Only with `ExecRequest.stdin`; resolves when there is room for more. Nothing when it has ended. */
  write(bytes: Uint8Array): Promise<void>;
  /** End of its stdin. */
  end(): void;
  /** Only with `ExecRequest.tty`. */
  resize(size: TtySize): Promise<void>;
  /** To it and to all that it has started, unless they are other users or have cleared their environment. */
  kill(which: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /**
   * Resolves after the end of `output`: 128+n when signal n ended it, 127 when there is no such program, 126 when it cannot be
   * run. Rejects with `unavailable` when the engine was lost meanwhile.
   */
  readonly exit: Promise<number>;
}

export interface Capacity {
  readonly cpus: number;
  readonly memoryBytes: number;
}
