import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { HostEvent, HostEventType } from '../../journal/event.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import { resource } from '../../kubernetes/resource.ts';
import type { KubernetesSource } from '../../sources/kubernetes/openKubernetesSource.ts';
import { botResource } from '../../sources/kubernetes/resource.ts';

export interface TellClusterOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly source: KubernetesSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** This replica. */
  readonly instance: string;
}

/** What whoever asks `kubectl describe bot` wants to see; the journal has all of it. */
const reasons: Partial<Record<HostEventType, string>> = {
  adopted: 'Adopted',
  started: 'Started',
  restarting: 'Restarting',
  ended: 'Ended',
  held: 'Held',
  missed: 'RunMissed',
  skipped: 'RunSkipped',
  lost: 'RunLost',
  fenced: 'Fenced',
  failed: 'Failed',
  'rolled-back': 'RolledBack',
};
const warnings = new Set<HostEventType>([
  'restarting',
  'held',
  'missed',
  'skipped',
  'lost',
  'fenced',
  'failed',
]);

/** So many at once, and so many a second after that: events live in the cluster's own store. */
const BURST = 200;
const PER_SECOND = 5;

/** Writes what has happened to a bot to the cluster. What is more than it bears, or what it does not take, is left out. */
export function tellCluster({ client, namespace, source, clock, log, instance }: TellClusterOptions) {
  const events = resource(client, { api: 'v1', plural: 'events', namespace });
  let left = BURST;
  let at = clock.now();
  let count = 0;

  function mayTell(): boolean {
    const now = clock.now();
    left = Math.min(BURST, left + ((now - at) / 1000) * PER_SECOND);
    at = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  }

  return (event: HostEvent, signal: AbortSignal): void => {
    const reason = reasons[event.type];
    const known = event.bot === undefined ? undefined : source.known(event.bot);
    if (reason === undefined || known === undefined || !mayTell()) return;
    const time = new Date(event.at).toISOString();
    const isBad = warnings.has(event.type) || (event.type === 'ended' && event.facts.exit !== 0);
    count += 1;
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${known.object.slice(0, 200)}.${event.at.toString(16)}${count.toString(16)}`,
        namespace,
      },
      involvedObject: {
        apiVersion: botResource.apiVersion,
        kind: botResource.kind,
        name: known.object,
        namespace,
        uid: known.uid,
      },
      type: isBad ? 'Warning' : 'Normal',
      reason,
      message: event.message.slice(0, 1024),
      source: { component: 'runtime-host' },
      reportingComponent: 'runtime-host',
      reportingInstance: instance,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
    events
      .create(body, signal)
      .catch((error: Error) => log.debug(`an event of ${known.bot} was not written: ${error.message}`));
  };
}
