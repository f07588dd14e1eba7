import { type IncomingMessage, request } from 'node:http';
import { systemCode } from '../../../base/errors.ts';
import { readWhole } from '../../../base/httpAnswer.ts';
import type { AgentEndpoint, OpenAiSpec } from '../../../bot/kinds/agentSpec.ts';
import { AgentError, type LinkOptions } from '../agentLink.ts';
import { errorOf } from './errorOf.ts';

/** How long a process that has hung up may take to end, which says more than the connection does; milliseconds. */
const LAST_WORD_MS = 2000;
const MAX_BODY = 16 * 1024 * 1024;
/** Of an error's words, characters. */
export const MAX_MESSAGE = 500;

export interface Asking {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request to the agent's endpoint on loopback, until the head of its answer. Aborted, the connection is closed. */
export function ask(
  spec: OpenAiSpec,
  { port, key }: AgentEndpoint,
  { method, path, headers, body }: Asking,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        // One connection per exchange: the rest of a cancelled answer must not reach the next one.
        agent: false,
        signal,
        headers: {
          'accept-encoding': 'identity',
          ...(spec.key ? { authorization: `Bearer ${key}` } : {}),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      resolve,
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** The whole body, as text; throws where it has more than 16 MiB. */
export const readBody = (body: AsyncIterable<Buffer>): Promise<string> => readWhole(body, MAX_BODY);

/** Those that say that somebody in between, or the agent at its start, could not. */
const AWAY = [502, 503, 504];

/** What an answer that is none means for the turn. */
export async function refusalOf(answer: IncomingMessage): Promise<AgentError> {
  const { statusCode: status = 0 } = answer;
  const text = await readBody(answer).catch(() => '');
  const said = errorOf(text) ?? text;
  const code = AWAY.includes(status) ? 'agent_unreachable' : 'agent_failed';
  return new AgentError(
    code,
    `the agent answered ${status}${said === '' ? '' : `: ${said.slice(0, MAX_MESSAGE)}`}`,
  );
}

/** Why a connection that failed did so: the end of the process where it has ended. */
export async function failureOf(
  error: unknown,
  wasAnswering: boolean,
  { channel, clock }: Pick<LinkOptions, 'channel' | 'clock'>,
): Promise<unknown> {
  if (error instanceof AgentError) return error;
  await clock.sleep(LAST_WORD_MS, channel.closed).catch(() => undefined);
  if (channel.closed.aborted) return channel.closed.reason;
  const why = systemCode(error) ?? (error instanceof Error ? error.message : String(error));
  return wasAnswering
    ? new AgentError('agent_failed', `the agent's answer was cut off (${why})`)
    : new AgentError('agent_unreachable', `the agent's port does not answer (${why})`);
}
