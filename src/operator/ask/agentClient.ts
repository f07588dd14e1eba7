import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';
import { serverEvents } from '../../base/serverEvents.ts';
import { whyFetchFailed } from '../../base/whyFetchFailed.ts';

/** A turn as the agent's server shows it. */
export interface ShownTurn {
  readonly id: string;
  readonly conversation: string;
  readonly status: string;
  readonly stopReason: string | null;
  readonly error?: { readonly code: string; readonly message: string };
}

export type AskedEvent =
  | { readonly type: 'start'; readonly id: string; readonly conversation: string }
  | { readonly type: 'delta' | 'thought'; readonly text: string }
  | { readonly type: 'tool'; readonly id: string; readonly name: string; readonly status: string }
  | { readonly type: 'end'; readonly turn: ShownTurn };

export interface AgentClient {
  /** One message, and what comes of it; `end` is the last. The stream is taken up again where it was cut off. */
  ask(text: string, conversation: string | undefined, signal: AbortSignal): AsyncGenerator<AskedEvent>;
  cancel(id: string): Promise<void>;
}

export interface AgentClientOptions {
  /** Of `/_runtime/agent`, or of `/v1/instances/<id>`. */
  readonly address: string;
  readonly token: string | undefined;
  readonly clock: Clock;
}

/** What one event may have, characters. */
const MAX_EVENT = 32 * 1024 * 1024;
const TRIES = 5;
const BACKOFF = { firstMs: 200, longestMs: 3000 };

export function agentClient({ address, token, clock }: AgentClientOptions): AgentClient {
  const call = async (
    method: string,
    path: string,
    options: { body?: object; headers?: object; signal?: AbortSignal },
  ) => {
    const { body, headers, signal } = options;
    try {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        redirect: 'error',
        ...(body ? { body: JSON.stringify(body) } : {}),
        ...(signal ? { signal } : {}),
      });
      if (response.ok) return response;
      throw refusal(response.status, address, await response.text());
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RuntimeError) throw error;
      const why = whyFetchFailed(error);
      throw new RuntimeError('unavailable', `${new URL(address).host} gave no answer: ${why}`, {
        op: 'agent.ask',
        hint: 'Is the agent running, and its port 9476 (of a host: 9477) reachable?',
        retryable: true,
        cause: error,
      });
    }
  };

  async function* follow(
    response: Response,
  ): AsyncGenerator<AskedEvent & { readonly at: string | undefined }> {
    for await (const { id, event, data } of serverEvents(
      response.body as AsyncIterable<Uint8Array>,
      MAX_EVENT,
    )) {
      const value = JSON.parse(data) as never;
      if (event === 'end') yield { type: 'end', turn: value, at: id };
      else if (['start', 'delta', 'thought', 'tool'].includes(event))
        yield { type: event, ...(value as object), at: id } as never;
    }
  }

  return {
    async *ask(message, conversation, signal) {
      const stream = { accept: 'text/event-stream' };
      let response = await call('POST', '/messages', {
        body: { message, stream: true, ...(conversation === undefined ? {} : { conversation }) },
        headers: stream,
        signal,
      });
      let turn: string | undefined;
      let last = '0';
      for (let failures = 0; ; ) {
        try {
          for await (const { at, ...event } of follow(response)) {
            if (event.type === 'start') turn = event.id;
            last = at ?? last;
            failures = 0;
            yield event;
            if (event.type === 'end') return;
          }
        } catch (error) {
          signal.throwIfAborted();
          if (turn === undefined) throw error;
        }
        failures += 1;
        if (turn === undefined || failures > TRIES) {
          throw new RuntimeError('unavailable', 'the stream was cut off', {
            hint:
              turn === undefined
                ? 'Ask again.'
                : `The turn goes on all the same: ${address}/messages/${turn}`,
          });
        }
        await clock.sleep(growingWait(BACKOFF, failures), signal);
        const path = `/messages/${turn}/events`;
        response = await call('GET', path, { headers: { ...stream, 'last-event-id': last }, signal }).catch(
          (error: unknown) => {
            // Its server is being started again.
            if (error instanceof RuntimeError && error.retryable && failures < TRIES) return new Response('');
            throw error;
          },
        );
      }
    },
    cancel: async (id) => {
      await call('POST', `/messages/${id}/cancel`, { body: {} });
    },
  };
}

/** What a refused request means to whoever typed it. */
function refusal(status: number, address: string, body: string): RuntimeError {
  let words = body.trim().slice(0, 300);
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    words = String(error ?? message ?? words);
  } catch {
    // No answer of ours.
  }
  const text = `the agent answered ${status}${words === '' ? '' : `: ${words}`}`;
  if (status === 401) {
    return new RuntimeError('denied', text, {
      hint: 'Set AGENT_TOKEN, or QUERY_TOKEN, to the token of the agent.',
    });
  }
  if (status === 403) {
    return new RuntimeError('refused', text, {
      hint: 'An agent without AGENT_TOKEN is asked from its own machine only.',
    });
  }
  if (status === 404) {
    return new RuntimeError('not-found', text, { hint: `Is it an agent? ${address} describes it.` });
  }
  if (status === 400 || status === 413) return new RuntimeError('usage', text);
  return new RuntimeError('unavailable', text, {
    hint: status === 503 ? `${address}/health says more.` : 'Ask again after a while.',
    retryable: status === 503,
  });
}
