import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { type AgentChannel, AgentError, type TurnEvent } from '../../../src/agent/links/agentLink.ts';
import { openAiLink } from '../../../src/agent/links/openai/openAiLink.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { AgentSpec, OpenAiSpec } from '../../../src/bot/kinds/agentSpec.ts';
import { memoryLog } from '../memoryLog.ts';
import { type ChatServerOptions, startChatServer } from './chatServer.ts';

const openai: OpenAiSpec = {
  port: undefined,
  path: '/v1/chat/completions',
  health: '/health',
  model: 'my-model',
  conversation: { body: 'user' },
  key: { env: 'KEY' },
};
export const never = new AbortController().signal;

/** A link to a chat server that answers as `options` say, and what it makes of a turn. */
export async function openChat(
  options: ChatServerOptions = {},
  changes: Partial<OpenAiSpec> = {},
  usage: AgentSpec['usage'] = 'turn',
  clock = systemClock,
) {
  const server = await startChatServer({ key: 'the-key', ...options });
  onTestFinished(() => server.close());
  const dead = new AbortController();
  const channel: AgentChannel = {
    closed: dead.signal,
    instance: 'life-1',
    write: () => false,
    listen: () => undefined,
  };
  const endpoint = { port: server.port, key: 'the-key' };
  const spec = {
    protocol: 'openai',
    usage,
    resume: undefined,
    permissions: 'reject',
    openai: { ...openai, ...changes },
  } as const;
  const link = openAiLink({
    spec,
    endpoint,
    kind: 'my-kind',
    channel,
    clock,
    log: memoryLog().log,
  });
  let turns = 0;
  const say = async (text: string, signal = never, onEvent?: () => void) => {
    const events: TurnEvent[] = [];
    turns += 1;
    const turn = {
      id: `msg_${turns}`,
      conversation: 'c-1',
      session: undefined,
      message: [{ type: 'text', text } as const],
      metadata: {},
    };
    const end = await link.send(
      turn,
      (event) => {
        events.push(event);
        onEvent?.();
      },
      signal,
    );
    return { end, events, reply: events.map((event) => (event.type === 'delta' ? event.text : '')).join('') };
  };
  const die = () => dead.abort(new AgentError('agent_died', 'the agent ended (1)'));
  return { server, link, say, die };
}

/** An answer of these events. */
export const stream =
  (...lines: string[]) =>
  (_: unknown, response: ServerResponse) => {
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(lines.map((line) => `${line}\n\n`).join(''));
    return undefined;
  };
