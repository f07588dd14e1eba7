import type { BotSpec } from '../bots/botSpec.ts';
import type { InstanceSpec } from '../engine/engine.ts';

/** Makes the instances of bots: image, code from the cache, folders, user, credentials. */
export interface Instances {
  /** Hash of all that an instance of this bot is made of; undefined: its image or code are not here yet. */
  hash(spec: BotSpec): string | undefined;
  /** What all instances have in common (image, shared variables), as a hash; undefined: the image is not here yet. */
  base(): string | undefined;
  /** Asks the engine anew what the image's name means. True: something else than before. Throws what the engine throws. */
  refresh(signal: AbortSignal): Promise<boolean>;
  /** Fetches what is missing (image, code, uid, folders). Throws what the store or the engine throw. */
  prepare(spec: BotSpec, signal: AbortSignal): Promise<void>;
  /** Mounts the disk that it writes to, where it has one of its own; before it is made, and again before it is started. */
  hold?(spec: BotSpec): Promise<void>;
  /** Code that is named by its key alone is looked at anew. */
  renew(spec: BotSpec): void;
  bot(spec: BotSpec, signal: AbortSignal): Promise<InstanceSpec>;
  run(spec: BotSpec, time: number, signal: AbortSignal): Promise<InstanceSpec>;
  /** An ephemeral query, or a worker that is kept for one bot; `env` are QUERY_PATH and its like. */
  query(
    spec: BotSpec,
    id: string,
    env: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<InstanceSpec>;
  /** A query worker of no bot yet; what it will be given is put into `folder`. */
  waiting(id: string, folder: string, signal: AbortSignal): Promise<InstanceSpec>;
}
