import type { StoreConfig } from '../../store/storeConfig.ts';
import type { CodeConfig, Paths } from './config.ts';

/** Where one of these paths lies in another although that would damage something: one line for each. */
export function checkPaths(paths: Paths, code: CodeConfig, store: StoreConfig): string[] {
  const problems: string[] = [];
  const apart = (inner: Place, outer: Place, why: string) => {
    if (inner.path !== undefined && outer.path !== undefined && isInside(inner.path, outer.path)) {
      problems.push(`${inner.name}=${inner.path} lies in ${outer.name}=${outer.path}: ${why}`);
    }
  };
  const codePath = { name: 'CODE_PATH', path: paths.code };
  const state = { name: 'STATE_PATH', path: paths.state };
  const logs = { name: 'LOGS_PATH', path: paths.logs };
  const cache = { name: 'CODE_CACHE', path: code.cache };
  const files = { name: 'the store of STORE_URL', path: store.type === 'file' ? store.path : undefined };

  apart(codePath, state, 'the code would be saved as state, and replaced by it');
  apart(logs, state, 'every line would change the state');
  apart(files, state, 'every snapshot would contain the ones before');
  apart(cache, state, 'the cache would be saved as state');
  apart(state, files, 'the bot would write into the store');
  apart(codePath, files, 'the bot would write into the store');
  apart(logs, files, 'logs would be mistaken for objects');
  apart(state, logs, 'the bot may not write there');
  apart(codePath, logs, 'pulling the code would replace the logs');
  if (code.file !== undefined) {
    const why = 'pulling the code would replace it';
    if (paths.state !== paths.code) apart(state, codePath, why);
    apart(logs, codePath, why);
    apart(cache, codePath, why);
    apart(files, codePath, why);
  }
  if (!isInside(paths.stateDir, paths.state)) {
    problems.push(
      `STATE_DIR=${paths.stateDir} lies outside STATE_PATH=${paths.state}: it would not be saved`,
    );
  }
  return problems;
}

interface Place {
  readonly name: string;
  readonly path: string | undefined;
}

/** Or the same. Both absolute and normalised; links are not resolved. */
function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
