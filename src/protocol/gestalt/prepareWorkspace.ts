import { isDeepStrictEqual } from 'node:util';
import type { PrepareWorkspaceRequest, RemoveWorkspaceRequest } from './messages.ts';
import type { Provider } from './provider.ts';
import { RpcError } from './rpcError.ts';
import { runInside } from './runInside.ts';
import type { Session } from './session.ts';
import { checkName, parseWorkspace, type Workspace } from './workspace.ts';

/** In the container: the plugin sees it under the same path. */
const ROOT = '/tmp/gestalt-workspaces';
/** git must ask nobody: there is nobody to answer. */
const GIT_ENV = { GIT_TERMINAL_PROMPT: '0', GIT_SSH_COMMAND: 'ssh -oBatchMode=yes' };

export interface PreparedWorkspace {
  readonly root: string;
  readonly cwd: string;
}

/**
 * Clones the checkouts inside the session's container, by its own git, as its own user. The same request again has the same answer;
 * another one under the same name is refused; what was begun and failed is removed.
 */
export async function prepareWorkspace(
  provider: Provider,
  request: PrepareWorkspaceRequest,
  cancelled: AbortSignal,
): Promise<PreparedWorkspace> {
  const session = provider.sessions.get(request.sessionId);
  const workspace = parseWorkspace(request);
  if (session.state !== 'running') {
    throw new RpcError(
      'FAILED_PRECONDITION',
      `session ${session.id} is ${session.state}: a workspace is made in its container`,
    );
  }
  const known = session.workspaces.get(workspace.name);
  if (known !== undefined) {
    if (isDeepStrictEqual(known.spec, workspace)) return await known.answer;
    throw new RpcError(
      'FAILED_PRECONDITION',
      `workspace ${workspace.name} is there already, with other checkouts`,
    );
  }
  const signal = AbortSignal.any([session.ended.signal, cancelled]);
  const answer = clone(provider, session, workspace, signal).catch(async (error: unknown) => {
    session.workspaces.delete(workspace.name);
    await remove(provider, session, workspace.name).catch(() => undefined);
    throw error;
  });
  session.workspaces.set(workspace.name, { spec: workspace, answer });
  return await answer;
}

/** Nothing where there is none, nor a session: gestaltd also asks for what has long been put away. */
export async function removeWorkspace(provider: Provider, request: RemoveWorkspaceRequest): Promise<void> {
  const session = provider.sessions.find(request.sessionId);
  const name = checkName(request.agentSessionId);
  if (session === undefined || !session.workspaces.delete(name) || session.state !== 'running') return;
  await remove(provider, session, name);
}

async function clone(
  provider: Provider,
  session: Session,
  { name, checkouts, cwd }: Workspace,
  signal: AbortSignal,
): Promise<PreparedWorkspace> {
  const root = `${ROOT}/${name}`;
  const git = provider.config.git.command;
  const run = async (...argv: string[]) => {
    session.log.write('runtime', `workspace ${name}: ${argv.slice(1).join(' ')}`);
    return await runInside(provider.engine, session.container, argv, GIT_ENV, signal);
  };
  for (const { url, ref, path } of checkouts) {
    const into = `${root}/${path}`;
    await run(git, 'clone', '--', url, into);
    if (ref === '') continue;
    await run(git, '-C', into, 'fetch', 'origin', '--', ref);
    await run(git, '-C', into, 'checkout', '--detach', 'FETCH_HEAD', '--');
  }
  // A repository may hold links: the working directory must still be inside once they are followed.
  const [realRoot, realCwd] = await Promise.all([
    run('readlink', '-f', root),
    run('readlink', '-f', `${root}/${cwd}`),
  ]);
  if (realCwd !== realRoot && !realCwd.startsWith(`${realRoot}/`)) {
    throw new RpcError('INVALID_ARGUMENT', `cwd ${JSON.stringify(cwd)} leads out of the workspace`);
  }
  await run('test', '-d', realCwd);
  return { root: realRoot, cwd: realCwd };
}

async function remove({ engine }: Provider, { container }: Session, name: string): Promise<void> {
  await runInside(
    engine,
    container,
    ['rm', '-rf', '--', `${ROOT}/${name}`],
    {},
    new AbortController().signal,
  );
}
