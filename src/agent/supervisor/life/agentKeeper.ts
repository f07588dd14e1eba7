import type { FromAgentServer, ToAgentServer } from '../../process/agentMessages.ts';
import type { DaemonLink } from './daemonLink.ts';

/** The agent as the query server, which has its turns, is told of it. */
export interface AgentKeeper {
  /** `tell` as `RoleProcess.send`. `helpers`: as they are at any time. */
  connect(tell: Tell, helpers: () => AgentHelpers): void;
  /** What a query server is told that starts. */
  greeting(): ToAgentServer;
  take(message: FromAgentServer): void;
  /** The container's end has been asked for. */
  stopping(): void;
  /** It has ended for good. Resolves when what became of its turns is kept, or after a while. */
  settle(how: 'died' | 'stopped'): Promise<void>;
}

export type Tell = (message: ToAgentServer, onItsWay?: () => void) => boolean;

/** Who else is there: whoever saves, and whoever serves. */
export interface AgentHelpers {
  readonly daemon?: DaemonLink | undefined;
  readonly query?: { readonly pid: number | undefined } | undefined;
}
