import type { Cause, NewSandbox } from './sandboxes.ts';

/**
 * What is written down of a sandbox: what is wanted of it, and what can be read nowhere else. Whether it runs is the engine's to say.
 * Times are milliseconds.
 */
export interface SandboxRecord extends Omit<NewSandbox, 'secretEnv'> {
  readonly version: 1;
  readonly id: string;
  /** In the clear: the file is root's alone, and the engine has them as well. */
  readonly secretEnv: Readonly<Record<string, string>>;
  /** Of the request that made it: the same key with another one is a conflict. */
  readonly digest: string;
  readonly wanted: 'running' | 'stopped' | 'gone';
  /**
   * Where hosts share a store: true when it says that this host has the sandbox, false when nobody has, and this host not more than any
   * other. Undefined: nobody else knows of it.
   */
  readonly held: boolean | undefined;
  /** How often a host has taken it from nobody. */
  readonly moves: number;
  /** Its disk is still to be begun with another's. */
  readonly toFork: boolean;
  readonly createdAt: number;
  /** Of its first start. */
  readonly startedAt: number | undefined;
  readonly lastActivityAt: number;
  /** Of `gone` and of `expired`: its disk is kept for a while from here on. */
  readonly removedAt: number | undefined;
  readonly cause: Cause | undefined;
  readonly error: string | undefined;
}
