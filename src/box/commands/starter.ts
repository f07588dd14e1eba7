import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { BoxError } from '../http/boxError.ts';
import { endMarked } from './family.ts';
import type { PipePool } from './pipePool.ts';
import { type CommandOptions, type RunningCommand, startCommand } from './startCommand.ts';

export type StartOptions = Omit<CommandOptions, 'pipes' | 'mark'>;

/** All that a box starts is started here, so that all of it is found again at the end. */
export interface Starter {
  start(options: StartOptions): Promise<RunningCommand>;
  /** Starts nothing any more, asks all that lives to end, and resolves when nobody is left. */
  end(): Promise<void>;
}

export function createStarter(pipes: PipePool, clock: Clock): Starter {
  const own = randomBytes(9).toString('base64url');
  let count = 0;
  let isEnding = false;
  return {
    start: async (options) => {
      if (isEnding) throw new BoxError(503, 'STOPPING', 'the sandbox is about to stop');
      return await startCommand({ ...options, pipes, mark: `${own}.${++count}` });
    },
    end: async () => {
      isEnding = true;
      await endMarked(`${own}.`, clock);
    },
  };
}
