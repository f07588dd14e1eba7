import { isRuntimeError } from '../../../../base/errors.ts';
import type { DockerContext } from '../dockerContext.ts';
import type { ContainerDetails } from './container.ts';
import { readLabels } from './labels.ts';

/** Ours of exactly this name. Whoever changes it then names it by its id: the name may meanwhile be another's. */
export async function findContainer(
  context: DockerContext,
  op: string,
  name: string,
  signal: AbortSignal,
): Promise<ContainerDetails | undefined> {
  const found = await ofThatName(context, op, name, signal);
  return found && readLabels(found.Config.Labels, context.host) ? found : undefined;
}

/** Somebody else's of exactly this name. */
export async function isTaken(context: DockerContext, name: string, signal: AbortSignal): Promise<boolean> {
  const found = await ofThatName(context, 'engine.inspect', name, signal);
  return found !== undefined && readLabels(found.Config.Labels, context.host) === undefined;
}

async function ofThatName(
  { client }: DockerContext,
  op: string,
  name: string,
  signal: AbortSignal,
): Promise<ContainerDetails | undefined> {
  const path = `/containers/${encodeURIComponent(name)}/json`;
  try {
    const found = await client.call<ContainerDetails>({ op, subject: name, method: 'GET', path, signal });
    // The engine also takes the beginning of an id for a name.
    return found.Name === `/${name}` ? found : undefined;
  } catch (error) {
    if (isRuntimeError(error, 'not-found')) return undefined;
    throw error;
  }
}
