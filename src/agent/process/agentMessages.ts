import type { AgentEndpoint } from '../../bot/kinds/agentSpec.ts';

/** What supervisor and query server tell each other of an agent, besides what they do of every bot. */

/** One life of the agent's process. */
export interface AgentProcess {
  readonly instance: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  /** Where it listens, if it does. */
  readonly endpoint: AgentEndpoint | undefined;
}

/** How far a restart is that the query server has asked for. */
export interface RestartReport {
  /** The restart's id. */
  readonly id: string;
  readonly phase: 'stopping' | 'saving' | 'starting' | 'started';
  /** From `starting` on. */
  readonly stateSaved?: boolean;
  /** Sequence of the snapshot that holds the state. */
  readonly snapshot?: string;
  /** The state was not saved, although it was required, or the agent could not be started. */
  readonly error?: string;
}

export type ToAgentServer =
  /** Told to each query server that starts, and for each new process. `life` undefined: there is none just now. */
  | {
      readonly type: 'agent';
      readonly life: AgentProcess | undefined;
      /** The last one that was asked for. */
      readonly restart: RestartReport | undefined;
    }
  | { readonly type: 'said'; readonly text: string }
  | { readonly type: 'restart-report'; readonly report: RestartReport }
  /** The container's end has been asked for. */
  | { readonly type: 'agent-stopping' }
  /** It has ended for good: answered by `settled`. */
  | { readonly type: 'agent-ended'; readonly how: 'died' | 'stopped' };

export type FromAgentServer =
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'restart'; readonly id: string; readonly save: 'required' | 'try' }
  /** What has become of all turns is in the state's folder. */
  | { readonly type: 'settled' };
