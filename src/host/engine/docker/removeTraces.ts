import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { ContainerSummary } from './containers/container.ts';
import { hostLabel, readLabels } from './containers/labels.ts';
import { stateOf } from './containers/toInstance.ts';
import { createDockerClient, type DockerClient } from './http/dockerClient.ts';
import { parseEngineAddress } from './http/engineAddress.ts';
import { hasRules } from './networks/hasRules.ts';
import { removeRules } from './networks/removeRules.ts';

export interface TracesOf {
  /** Value of the label `runtime.host`. */
  readonly host: string;
  /** As `DockerOptions.socket`. */
  readonly socket: string | undefined;
  readonly signal: AbortSignal;
}

export interface Removed {
  readonly containers: number;
  readonly networks: number;
  /** In the packet filter. */
  readonly rules: boolean;
}

const REMOVE_MS = 60_000;
/** Names in a message. */
const SHOWN = 5;

/**
 * Takes away what a host has on an engine and in the packet filter: ended containers, those of queries, bridges, rules. Throws `refused`,
 * with nothing done, while a bot or a sandbox of it runs: nobody but the host saves its state.
 */
export async function removeTraces({ host, socket, signal }: TracesOf): Promise<Removed> {
  const client = createDockerClient(parseEngineAddress(socket));
  try {
    const filters = JSON.stringify({ label: [`${hostLabel}=${host}`] });
    const list = <T>(path: string, more = {}) =>
      client.call<readonly T[]>({
        ...{ op: 'engine.list', subject: `host ${host}`, method: 'GET', path, signal },
        query: { filters, ...more },
      });
    const containers = await list<ContainerSummary>('/containers/json', { all: '1' });
    const running = containers.filter(
      ({ State, Labels }) => stateOf(State) === 'running' && readLabels(Labels, host)?.role !== 'query',
    );
    if (running.length > 0) throw stillRuns(host, running);
    for (const { Id } of containers) await remove(client, `/containers/${Id}`, signal);
    const networks = await list<{ readonly Id: string }>('/networks');
    for (const { Id } of networks) await remove(client, `/networks/${Id}`, signal);
    const rules = await hasRules(host);
    await removeRules(host).catch((error: unknown) => {
      // A host in a network of the operator's own has made no rules, and needs none of what makes them.
      if (networks.length > 0 || !isRuntimeError(error, 'config')) throw error;
    });
    return { containers: containers.length, networks: networks.length, rules };
  } finally {
    client.close();
  }
}

async function remove(client: DockerClient, path: string, signal: AbortSignal): Promise<void> {
  const query = path.startsWith('/containers') ? { force: '1', v: '1' } : {};
  const request = { op: 'engine.remove', subject: path.slice(1), path, query } as const;
  try {
    await client.call({ ...request, method: 'DELETE', timeoutMs: REMOVE_MS, signal });
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) throw error;
  }
}

function stillRuns(host: string, running: readonly ContainerSummary[]): RuntimeError {
  const names = running.map(({ Id, Names }) => Names?.[0]?.replace(/^\//, '') ?? Id);
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const shown = names.slice(0, SHOWN).join(', ');
  return new RuntimeError('refused', `of host ${host} these run: ${shown}${more}`, {
    op: 'host.remove',
    hint: 'Start the host and end them in order, with their states saved: runtime bots drain --wait.',
  });
}
