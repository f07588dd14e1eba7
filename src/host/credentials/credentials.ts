import type { Secret } from '../../base/secret.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Mount, Role } from '../engine/engine.ts';

/** How an instance reaches the store as its own bot and as no other. */
export interface Credentials {
  /** One line for an operator: narrowed by STS, or not and why. */
  readonly description: string;
  /**
   * What of them is the same for every instance of this bot, and goes into its hash: environment (endpoint, region) and
   * mounts. Pure, without the network: a host that comes back asks it for a thousand bots at once.
   */
  shape(spec: BotSpec, role: Role): Shape;
  /**
   * Makes what `shape` has promised (files, sockets below the mounts) and resolves with the secret part of the environment.
   * Called before every create; safe to repeat. Errors as the store's.
   */
  grant(spec: BotSpec, role: Role, user: User, signal: AbortSignal): Promise<SecretEnv>;
  /** What `grant` has made and the engine has to bring in by value; undefined where it is mounted, or there is nothing. */
  files(spec: BotSpec, role: Role): GrantedFiles | undefined;
  /** An instance of another host's life was found running: from now on it is served as if it had just been granted. */
  adopt(spec: BotSpec, role: Role): void;
  /** The bot is gone for good. */
  revoke(bot: string): Promise<void>;
  close(): Promise<void>;
}

export interface Shape {
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

export interface GrantedFiles {
  /** Of a mount of `Shape.mounts`. */
  readonly target: string;
  readonly files: Readonly<Record<string, Secret>>;
  /** Milliseconds. */
  readonly until: number;
}

export type SecretEnv = Readonly<Record<string, Secret>>;

/** Whom the instance runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}
