import type { Instance } from '../../engine.ts';
import { readLabels } from './labels.ts';
import { BOT, type Pod, type PodStatus } from './pod.ts';

/** What is kept of a pod: some 1 KiB instead of 12. */
export interface SeenPod {
  /** The pod's own. */
  readonly pod: string;
  readonly uid: string;
  readonly version: bigint;
  readonly secret: string;
  readonly finalizers: readonly string[];
  /** Label of the network policy that it goes by. */
  readonly egress: string;
  readonly instance: Instance;
  /** It is being removed and its node has not said that it has ended: from then on nobody expects that any more, milliseconds. */
  readonly lostAt: number | undefined;
  /** The same as a time from when it began to leave. */
  readonly lostAfterMs: number | undefined;
}

/** A node that is not heard of for five minutes has its pods marked by the cluster; a little later it is taken at its word. */
const MARKED_LOST_MS = 30_000;
/** Marked for another reason, and never confirmed. */
const LOST_MS = 300_000;
/** As Kubernetes itself has it where a pod says nothing. Seconds. */
const USUAL_GRACE = 30;

/** Undefined: not ours. */
export function seePod(pod: Pod, host: string): SeenPod | undefined {
  const labelled = readLabels(pod, host);
  if (labelled === undefined) return undefined;
  const { metadata, spec, status = {} } = pod;
  const { secret, ...own } = labelled;
  const bot = status.containerStatuses?.find(({ name }) => name === BOT)?.state ?? {};
  const neverStarted = (spec.schedulingGates ?? []).length > 0;
  const isTerminal = status.phase === 'Succeeded' || status.phase === 'Failed';
  const deletedAt = timeOf(metadata.deletionTimestamp);
  const isGoing = deletedAt !== undefined;
  // Without a node nothing of it can run any more: one that is going is given none.
  const ended = isTerminal || (isGoing && !spec.nodeName);
  const state = ended ? 'ended' : isGoing ? 'leaving' : neverStarted ? 'created' : 'running';
  const byNode = status.conditions?.some(({ reason }) => reason === 'DeletionByTaintManager');
  const takenAway = takenAwayBy(status, isGoing);
  const unheardMs = byNode ? MARKED_LOST_MS : LOST_MS;
  const graceMs = (metadata.deletionGracePeriodSeconds ?? USUAL_GRACE) * 1_000;
  return {
    pod: metadata.name,
    uid: metadata.uid ?? '',
    version: BigInt(metadata.resourceVersion ?? 0),
    secret,
    finalizers: metadata.finalizers ?? [],
    egress: metadata.labels?.['runtime.egress'] ?? '',
    lostAt: state === 'leaving' ? deletedAt! + unheardMs : undefined,
    lostAfterMs: state === 'leaving' ? graceMs + unheardMs : undefined,
    instance: {
      ...own,
      id: metadata.uid ?? '',
      state,
      createdAt: timeOf(metadata.creationTimestamp) ?? 0,
      startedAt: timeOf(bot.running?.startedAt ?? bot.terminated?.startedAt),
      endedAt: ended ? timeOf(bot.terminated?.finishedAt) : undefined,
      exitCode: ended ? bot.terminated?.exitCode : undefined,
      outOfMemory: bot.terminated?.reason === 'OOMKilled',
      error: ended ? status.message : (waitsFor(pod) ?? undefined),
      address: state === 'running' && bot.running ? status.podIP : undefined,
      takenAway,
    },
  };
}

/** What the cluster did to it: a drain, an eviction, a preemption, `kubectl delete pod`, a node's end. */
function takenAwayBy({ conditions, reason, phase }: PodStatus, isGoing: boolean): string | undefined {
  const disruption = conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (disruption) return disruption.reason ?? 'disrupted';
  if (isGoing) return 'deleted';
  return phase === 'Failed' && reason !== undefined && reason !== '' ? reason : undefined;
}

/** Why it does not run yet, where that is not just its turn. */
function waitsFor({ status }: Pod): string | undefined {
  const unscheduled = status?.conditions?.find(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
  );
  if (unscheduled) return unscheduled.message;
  for (const { name, state } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && reason !== 'ContainerCreating' && reason !== 'PodInitializing')
      return `${name}: ${reason}${message ? `: ${message}` : ''}`;
  }
  return undefined;
}

/** Whoever asks for `replace` takes a pod that nobody can confirm to have ended for gone. */
export function instanceOf(seen: SeenPod, lostNode: 'wait' | 'replace', now: number): Instance {
  if (lostNode === 'wait' || seen.lostAt === undefined || now < seen.lostAt) return seen.instance;
  return {
    ...seen.instance,
    state: 'ended',
    endedAt: seen.lostAt,
    exitCode: undefined,
    takenAway: 'its node is lost',
  };
}

function timeOf(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return time > 0 ? time : undefined;
}
