import { isRuntimeError } from '../../../base/errors.ts';
import { createDockerClient } from './http/dockerClient.ts';
import { parseEngineAddress } from './http/engineAddress.ts';

export interface OrphanOptions {
  /** As `DockerOptions.socket`. */
  readonly socket?: string | undefined;
  /** `name=value`: only containers with this label are looked at. */
  readonly label: string;
  /** Of a container's labels: whether the one who made it is provably dead. */
  readonly isOrphan: (labels: Readonly<Record<string, string>>) => boolean;
}

const REMOVE_MS = 60_000;

/** Removes containers whose maker is dead, of all hosts on this engine. Resolves with how many. */
export async function removeOrphans({ socket, label, isOrphan }: OrphanOptions): Promise<number> {
  const client = createDockerClient(parseEngineAddress(socket));
  const { signal } = new AbortController();
  try {
    const found = await client.call<readonly { Id: string; Labels: Record<string, string> }[]>({
      op: 'engine.list',
      subject: 'engine',
      method: 'GET',
      path: '/containers/json',
      query: { all: '1', filters: JSON.stringify({ label: [label] }) },
      signal,
    });
    const orphans = found.filter(({ Labels }) => isOrphan(Labels));
    const failures: unknown[] = [];
    for (const { Id } of orphans) {
      const request = {
        op: 'engine.remove',
        subject: Id,
        path: `/containers/${Id}`,
        query: { force: '1', v: '1' },
      } as const;
      await client
        .call({ ...request, method: 'DELETE', timeoutMs: REMOVE_MS, signal })
        .catch((error: unknown) => {
          // Another one removes it as well; one that cannot be removed holds up none of the rest.
          if (!isRuntimeError(error, 'not-found', 'conflict')) failures.push(error);
        });
    }
    if (failures.length > 0) throw failures[0];
    return orphans.length;
  } finally {
    client.close();
  }
}
