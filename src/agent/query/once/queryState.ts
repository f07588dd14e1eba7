import { mkdtempSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { systemCode } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { Config } from '../../../bot/config/config.ts';
import { below, fromText } from '../../../bot/state/format/entryPath.ts';
import { removeTree } from '../../../bot/state/local/removeTree.ts';

export interface QueryState {
  /** The same with the paths of this state. */
  readonly config: Config;
  /** The variables that name it. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the copy of the state with all changes that the program has made to it. */
  remove(): void;
}

/**
 * Where an ephemeral query has its copy of the saved state: `STATE_PATH` where nothing is there yet, as in a new container, else
 * a directory of its own in `scratch`. A bot's tree, left there by its last life or in use by one that runs, would be
 * saved with all that the query's program writes to it.
 */
export function queryState(config: Config, scratch: string): QueryState {
  const { paths } = config;
  const isFree = isMissingOrEmpty(paths.state);
  if (!isFree) makeFolders(scratch);
  const state = isFree ? paths.state : mkdtempSync(join(scratch, 'query-state-'));
  const stateDir = join(state, relative(paths.state, paths.stateDir));
  return {
    config: { ...config, paths: { ...paths, state, stateDir } },
    env: { STATE_PATH: state, STATE_DIR: stateDir },
    remove: () => {
      const path = fromText(state);
      if (!isFree) return removeTree(path);
      for (const name of readdirSync(state, 'latin1')) removeTree(below(path, name));
    },
  };
}

function isMissingOrEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}
