import type { KubeObject } from '../../../kubernetes/objects.ts';

/** A pod, as much of it as is read here. Times are RFC 3339, in whole seconds. */
export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulingGates?: readonly { readonly name: string }[];
  };
  readonly status?: PodStatus;
}

export interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly podIP?: string;
  readonly conditions?: readonly PodCondition[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: {
      readonly exitCode: number;
      readonly reason?: string;
      readonly startedAt?: string | null;
      readonly finishedAt?: string | null;
    };
  };
}

/** The container whose end is the instance's. */
export const BOT = 'bot';
/** Keeps a pod that nobody has looked at yet from going: how it ended would be lost with it. */
export const RESULT = 'runtime/result';
/** Keeps a pod that has been made from being started. */
export const START = 'runtime/start';
