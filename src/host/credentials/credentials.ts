import type { Secret } from '../../base/secret.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Mount, Role } from '../engine/engine.ts';

/** How an instance reaches the store as its own bot and as no other. */
export interface Credentials {
  /**
   * What the instance's environment and mounts must hold. Called before every create; safe to repeat. The same bot gets the
   * same `env` names and mounts each time, so that they do not change its hash; values in `secretEnv` are not part of it.
   */
  grant(spec: BotSpec, role: Role, user: { uid: number; gid: number }, signal: AbortSignal): Promise<Grant>;
  /** The bot is gone for good. */
  revoke(bot: string): Promise<void>;
  /** One line for an operator: narrowed by STS, or not and why. */
  readonly description: string;
  close(): Promise<void>;
}

export interface Grant {
  readonly env: Readonly<Record<string, string>>;
  readonly secretEnv: Readonly<Record<string, Secret>>;
  readonly mounts: readonly Mount[];
}
