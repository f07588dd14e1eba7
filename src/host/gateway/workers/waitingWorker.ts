import { rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Engine, InstanceSpec, Standby } from '../../engine/engine.ts';
import type { Endings } from './endings.ts';
import { furnish } from './furnish.ts';

/** A container that waits for a bot. It becomes that of one bot, and of no second one. */
export interface WaitingWorker {
  readonly spec: InstanceSpec;
  /** Aborted when it does not wait any more, for whatever reason. */
  readonly gone: AbortSignal;
  /**
   * From now on it is this bot's: its limits, what it mounts, and at last, in one line, its variables. Whatever is thrown, nothing of
   * the bot has been told to it, and it is good for nothing.
   */
  assign(wanted: InstanceSpec, signal: AbortSignal): Promise<void>;
  /** Whatever it is doing; its folder goes too. Never throws. */
  end(): Promise<void>;
}

export interface Waiting {
  readonly engine: Engine;
  readonly standby: Standby;
  readonly endings: Endings;
  readonly spec: InstanceSpec;
  /** On this machine: what `spec` mounts. */
  readonly folder: string;
}

/** Makes and starts it; it then loads what a query needs, and waits. */
export async function waitingWorker(
  { engine, standby, endings, spec, folder }: Waiting,
  signal: AbortSignal,
): Promise<WaitingWorker> {
  const { name } = spec;
  const gone = new AbortController();
  let input: Writable | undefined;
  const end = async () => {
    gone.abort();
    input?.destroy();
    await endings.end(name, () => rm(folder, { recursive: true, force: true }));
  };
  try {
    await engine.create(spec, signal);
    // Before it starts: from its first moment it ends when this does, with the host or with the engine.
    input = await standby.input(name, signal);
    input.once('close', () => gone.abort());
    await engine.start(name, signal);
  } catch (error) {
    await end();
    throw error;
  }
  const line = input;
  return {
    spec,
    gone: gone.signal,
    end,
    assign: async (wanted, asked) => {
      await Promise.all([standby.limit(name, wanted.resources, asked), furnish(spec, wanted)]);
      if (line.destroyed) throw new Error('it has gone');
      const secrets = Object.entries(wanted.secretEnv).map(([key, secret]) => [key, secret.reveal()]);
      line.write(`${JSON.stringify({ ...wanted.env, ...Object.fromEntries(secrets) })}\n`);
    },
  };
}
