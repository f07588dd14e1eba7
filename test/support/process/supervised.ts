import { inject } from 'vitest';
import type { ExitRecord } from '../../../src/agent/supervisor/life/exitRecord.ts';
import { containerBots } from '../container/containerBots.ts';
import { newContainer, runRuntime, type StartedRuntime, startRuntime } from './executable.ts';

/** A bot that a test supervises, and what the store has of its state. */
export interface Supervised {
  readonly env: Record<string, string>;
  readonly container: Awaited<ReturnType<typeof newContainer>>;
  start(extra?: Record<string, string>): StartedRuntime;
  exitRecord(): Promise<ExitRecord>;
  /** What a new container of this bot gets to see: the output of `script` run in its state. */
  saved(script: string): Promise<string>;
}

/** A shell bot: `script` runs in the state's directory. */
export async function supervised(script: string, botId?: string): Promise<Supervised> {
  const bots = await containerBots(inject('minio'));
  const deployed = await bots.deploy({
    kind: 'command',
    entrypoint: inState(script),
    files: { none: '' },
    ...(botId === undefined ? {} : { botId }),
  });
  const container = await newContainer();
  const env = { ...deployed, ...container.env };
  return {
    env,
    container,
    start: (extra) => startRuntime(['execute'], { ...env, ...extra }),
    exitRecord: container.exitRecord,
    saved: async (look) => {
      const { env: other } = await newContainer();
      const end = await runRuntime(['execute'], { ...env, ...other, ENTRYPOINT: inState(look) });
      if (end.code !== 0) throw new Error(`the reading bot ended with ${end.code}: ${end.stderr}`);
      return end.stdout;
    },
  };
}

function inState(script: string): string {
  return `cd "$(dirname "$STATE_DIR")" || exit 9; ${script}`;
}
