import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where an agent is spoken to. */
export const AGENT_PATH = /^\/_runtime\/agent(\/|$)/;

/** What the query server has besides, where its bot is an agent. */
export interface ServedAgent {
  /** Answers a request to `AGENT_PATH`; it asks for its own token. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Why the container is not ready, or undefined. */
  notReady(): string | undefined;
  close(): Promise<void>;
}
