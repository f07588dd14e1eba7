import type { Instance } from '../../engine.ts';
import type { ContainerDetails } from './container.ts';
import { readLabels } from './labels.ts';

/** Undefined: not ours. */
export function toInstance(details: ContainerDetails, host: string): Instance | undefined {
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
    endedAt: state === 'ended' ? timeOf(State.FinishedAt) : undefined,
    exitCode: state === 'ended' ? State.ExitCode : undefined,
    outOfMemory: State.OOMKilled,
    error: State.Error === '' ? undefined : State.Error,
    address: state === 'running' ? addresses.find((address) => address !== '') : undefined,
  };
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
