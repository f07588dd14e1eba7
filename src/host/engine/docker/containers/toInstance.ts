import type { Instance } from '../../engine.ts';
import type { DockerContext } from '../dockerContext.ts';
import type { ContainerDetails } from './container.ts';
import { readLabels } from './labels.ts';

const LOST = 255;

/** Undefined: not ours. */
export function toInstance(
  details: ContainerDetails,
  { host, bootedAt }: Pick<DockerContext, 'host' | 'bootedAt'>,
): Instance | undefined {
  const labelled = readLabels(details.Config.Labels, host);
  if (!labelled) return undefined;
  const { State } = details;
  const state = stateOf(State.Status);
  const addresses = Object.values(details.NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress);
  return {
    name: details.Name.replace(/^\//, ''),
    id: details.Id,
    ...labelled,
    state,
    createdAt: timeOf(details.Created) ?? 0,
    startedAt: timeOf(State.StartedAt),
    endedAt: state === 'ended' ? endOf(State) : undefined,
    exitCode: state === 'ended' && !wasLost(State, bootedAt) ? State.ExitCode : undefined,
    outOfMemory: State.OOMKilled,
    error: State.Error === '' ? undefined : State.Error,
    address: state === 'running' ? addresses.find((address) => address !== '') : undefined,
  };
}

/** Never before the start: the engine takes the two times apart, and a program that ends at once can have a start noted after its end. */
function endOf({ StartedAt, FinishedAt }: ContainerDetails['State']): number | undefined {
  const end = timeOf(FinishedAt);
  return end && Math.max(end, timeOf(StartedAt) ?? end);
}

/** One that a machine took with it when it went down: the engine finds it gone, says 255, and knows nothing. */
function wasLost(state: ContainerDetails['State'], bootedAt: number | undefined): boolean {
  if (state.ExitCode !== LOST || bootedAt === undefined) return false;
  return Date.parse(state.StartedAt) < bootedAt && Date.parse(state.FinishedAt) >= bootedAt;
}

export function stateOf(status: string): Instance['state'] {
  if (status === 'created') return 'created';
  if (status === 'removing') return 'leaving';
  return status === 'exited' || status === 'dead' ? 'ended' : 'running';
}

/** Milliseconds; undefined for the engine's zero time. */
function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  return time > 0 ? time : undefined;
}
