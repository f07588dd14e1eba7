import type { FromAgentServer, ToAgentServer } from '../../process/agentMessages.ts';
import type { DaemonLink } from './daemonLink.ts';

/** What the query server, which runs the agent's turns, is told of the agent. */
export interface AgentKeeper {
  /** `tell` sends like `RoleProcess.send`. `helpers` returns those that run at the moment of the call. */
  connect(tell: Tell, helpers: () => AgentHelpers): void;
  /** What a query server is told when it starts. */
  greeting(): ToAgentServer;
  take(message: FromAgentServer): void;
  /** Somebody has asked for the container's end. */
  stopping(): void;
  /** The agent has ended for good. Resolves when the outcome of its turns is kept, or after a limit. */
  settle(how: 'died' | 'stopped'): Promise<void>;
}

export type Tell = (message: ToAgentServer, onItsWay?: () => void) => boolean;

/** The other processes of the container: the one that saves, and the one that serves queries. */
export interface AgentHelpers {
  readonly daemon?: DaemonLink | undefined;
  readonly query?: { readonly pid: number | undefined } | undefined;
}
