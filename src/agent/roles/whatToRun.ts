import type { Invocation } from '../../base/command/command.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Source } from './inPlace/readSources.ts';

export interface WhatToRun {
  /** The bot's directory; undefined: the environment describes the bot. */
  readonly dir: string | undefined;
  /** For those who run a bot by hand; undefined: a container. */
  readonly people: typeof import('./parts/inPlace.ts') | undefined;
  /** The command line with all that describes the bot; read anew by each call. */
  source(): Source;
}

/** Reads the command line of `execute`. Throws `usage` for flags that do not go together. */
export async function whatToRun(invocation: Invocation): Promise<WhatToRun> {
  const { flags } = invocation;
  const { dir, pairs } = split(invocation);
  if (flags.watch && dir === undefined) {
    throw new RuntimeError('usage', '--watch needs a DIR', { hint: 'runtime execute --watch DIR' });
  }
  if (flags.pull && !flags['query-server-only']) {
    throw new RuntimeError('usage', '--pull goes with --query-server-only: a bot that runs always pulls');
  }
  if (flags['await-bot'] && !flags.pull) {
    throw new RuntimeError('usage', '--await-bot goes with --query-server-only --pull');
  }
  if (flags.watch && (flags['query-server-only'] || flags.query !== undefined)) {
    throw new RuntimeError('usage', '--watch runs a bot, which --query and --query-server-only do not');
  }
  if (dir === undefined) {
    const flag = ['env-file', 'config', 'inspect', 'debugpy'].find((name) => flags[name] !== undefined);
    if (flag !== undefined) throw new RuntimeError('usage', `--${flag} needs a DIR`);
  }
  const people = dir === undefined && pairs.length === 0 ? undefined : await import('./parts/inPlace.ts');
  return {
    dir,
    people,
    source: () => people?.readSources(invocation, pairs, dir) ?? { invocation, warnings: [] },
  };
}

/** A query without a DIR is one of the bot that the environment describes, and has parameters all the same. */
function split({ positionals, flags }: Invocation): {
  dir: string | undefined;
  pairs: readonly string[];
} {
  const [first, ...others] = positionals;
  return flags.query !== undefined && first?.includes('=')
    ? { dir: undefined, pairs: positionals }
    : { dir: first, pairs: others };
}
