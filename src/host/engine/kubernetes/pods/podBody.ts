import type { KubeObject } from '../../../kubernetes/objects.ts';
import type { InstanceSpec } from '../../engine.ts';
import { container, type Part } from './container.ts';
import { annotationsOf, labelsOf } from './labels.ts';
import { BOT, RESULT, START } from './pod.ts';
import { podName } from './podName.ts';
import type { PodOptions } from './podOptions.ts';
import { podVolumes, type Volumes } from './podVolumes.ts';
import { sidecars } from './sidecars.ts';

export interface PodParts {
  readonly spec: InstanceSpec;
  readonly host: string;
  /** Name of its Secret. */
  readonly secret: string;
  /** Value of the label that network policies go by. */
  readonly egress: string;
  readonly options: PodOptions;
}

/** The agent ends its bot and saves within the bot's own time; the kubelet's comes on top. Seconds. */
const MARGIN_SECONDS = 5;
/** As Kubernetes itself has it where a pod says nothing. */
const LOST_SECONDS = 300;

/**
 * The pod of an instance. It passes "restricted"; the host decides about restarts, so the kubelet makes none; and it waits for the
 * host twice: to be started (a scheduling gate), and, where its end must not be missed, to be let go (a finalizer).
 */
export function podBody(parts: PodParts): KubeObject & Record<string, unknown> {
  const { spec, host, secret, options } = parts;
  const volumes = podVolumes(spec, secret);
  const { tolerations = [], imagePullPolicy, ...template } = options.template as Template;
  const whole = spec.role !== 'bot' && spec.role !== 'run';
  const make = (part: Part) =>
    container(spec, { secret, imagePullPolicy: options.pullPolicy ?? imagePullPolicy }, part);
  const containers =
    options.layout === 'sidecars' && !whole
      ? sidecars(spec, make, volumes)
      : { containers: [make(wholeBot(spec, volumes))] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(spec.name),
      labels: labelsOf(spec, host, parts.egress),
      annotations: annotationsOf(spec, secret),
      ...(!whole && { finalizers: [RESULT] }),
    },
    spec: {
      ...template,
      schedulingGates: [{ name: START }],
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: graceSeconds(spec.stopTimeoutMs, options.layout),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        ...(spec.user && { runAsUser: spec.user.uid, runAsGroup: spec.user.gid, fsGroup: spec.user.gid }),
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      tolerations: [...tolerations, ...lostNode(options.lostNode)],
      volumes: volumes.volumes,
      ...containers,
    },
  };
}

interface Template {
  readonly tolerations?: readonly object[];
  /** Of a container, said once for all. */
  readonly imagePullPolicy?: string;
}

/** Beside sidecars the bot takes its time first, and then they save with theirs. */
function graceSeconds(stopTimeoutMs: number, layout: PodOptions['layout']): number {
  return Math.ceil(stopTimeoutMs / 1000) * (layout === 'sidecars' ? 2 : 1) + MARGIN_SECONDS;
}

function wholeBot(spec: InstanceSpec, volumes: Volumes): Part {
  return {
    name: BOT,
    command: spec.entrypoint,
    args: spec.command,
    mounts: volumes.mounts,
    env: spec.env,
    secretEnv: Object.keys(spec.secretEnv),
    resources: spec.resources,
    diskBytes: volumes.diskBytes,
    ...(spec.role === 'bot' && spec.env.QUERY_ENTRYPOINT !== undefined && { answers: '/_runtime/healthz' }),
  };
}

/** Without a time, a pod stays where it is until its node says something. */
function lostNode(which: PodOptions['lostNode']): object[] {
  return ['unreachable', 'not-ready'].map((taint) => ({
    key: `node.kubernetes.io/${taint}`,
    operator: 'Exists',
    effect: 'NoExecute',
    ...(which === 'replace' && { tolerationSeconds: LOST_SECONDS }),
  }));
}
