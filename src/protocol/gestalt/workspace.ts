import type { Checkout, PrepareWorkspaceRequest } from './messages.ts';
import { RpcError } from './rpcError.ts';

export interface Workspace {
  /** One path segment. */
  readonly name: string;
  readonly checkouts: readonly Checkout[];
  /** Relative, inside one of the checkouts. */
  readonly cwd: string;
}

/** The request, checked once. Throws INVALID_ARGUMENT. */
export function parseWorkspace({ agentSessionId, workspace }: PrepareWorkspaceRequest): Workspace {
  const name = checkName(agentSessionId);
  const { checkouts = [], cwd = '' } = workspace ?? {};
  if (checkouts.length === 0) throw invalid('a workspace needs at least one checkout');
  for (const { url, path, ref } of checkouts) {
    checkPath('checkout path', path);
    checkUrl(url);
    if (ref.startsWith('-') || /[\s\0]/.test(ref)) throw invalid(`ref ${JSON.stringify(ref)} is not valid`);
  }
  for (const [at, { path }] of checkouts.entries()) {
    const other = checkouts.find((given, index) => index !== at && isInside(given.path, path));
    if (other) throw invalid(`checkouts ${JSON.stringify(path)} and ${JSON.stringify(other.path)} overlap`);
  }
  checkPath('cwd', cwd);
  if (!checkouts.some(({ path }) => isInside(cwd, path)))
    throw invalid(`cwd ${JSON.stringify(cwd)} is in none of the checkouts`);
  return { name, checkouts, cwd };
}

export function checkName(name: string): string {
  if (/^[A-Za-z0-9._-]{1,128}$/.test(name) && name !== '.' && name !== '..') return name;
  throw invalid(
    `agent session ${JSON.stringify(name)} is not a name of letters, digits, dots, underscores and hyphens`,
  );
}

function checkPath(what: string, path: string): void {
  const segments = path.split('/');
  const isClean = segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (isClean && !/[\\\0]/.test(path) && !segments.includes('.git') && path.length <= 1024) return;
  throw invalid(`${what} ${JSON.stringify(path)} is not a relative path without "." and ".."`);
}

/** https, http, ssh, git, file, or `user@host:path`; without credentials, query or fragment. */
function checkUrl(url: string): void {
  const isScp = /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s:?#-][^\s?#]*$/.test(url);
  if (isScp) return;
  if (/^(https?|ssh|git|file):\/\//.test(url) && URL.canParse(url) && !/\s/.test(url)) {
    const { username, password, search, hash, protocol } = new URL(url);
    const hasUser = password !== '' || (username !== '' && protocol !== 'ssh:');
    if (!hasUser && search === '' && hash === '') return;
  }
  throw invalid(`${JSON.stringify(url)} is not the address of a repository`);
}

/** Whether `path` is `folder` or below it. */
function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const invalid = (message: string) => new RpcError('INVALID_ARGUMENT', message);
