import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EnginePlace } from '../engine.ts';
import type { DockerClient } from './http/dockerClient.ts';

interface Info {
  readonly ID?: string;
  readonly Name?: string;
  readonly DockerRootDir?: string;
}

/** Another one for each machine, the copies of a virtual one included; stays when the system is installed anew. */
const PRODUCT = '/sys/class/dmi/id/product_uuid';

/** Which engine this is. `isLocal`: of this machine. */
export async function readPlace(
  client: DockerClient,
  isLocal: boolean,
  signal: AbortSignal,
): Promise<EnginePlace> {
  const request = { op: 'engine.info', subject: 'engine', method: 'GET', path: '/info', signal } as const;
  const { ID = '', Name = '', DockerRootDir = '' } = await client.call<Info>(request);
  const again = await client.call<Info>(request);
  // Some engines make up an id for each question: it says nothing.
  const id = again.ID === ID ? ID : '';
  return {
    engine: digest(`${id}\n${DockerRootDir}`),
    machine: digest((isLocal ? product() : undefined) ?? Name),
    name: Name,
  };
}

function product(): string | undefined {
  try {
    return readFileSync(PRODUCT, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
