import type { Turn } from '../../../src/agent/turns/turn.ts';

/** What a server answered. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface StreamEvent {
  readonly id: number;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface Message {
  readonly message: unknown;
  readonly conversation?: string;
  readonly stream?: boolean;
  readonly metadata?: Record<string, unknown>;
}

export type AnyBody = Record<string, unknown>;

/** The protocol of agents (docs/agents.md), spoken by a client that knows no kind of them. */
export interface AgentClient {
  describe(): Promise<Answer<AnyBody>>;
  health(): Promise<Answer<AnyBody>>;
  send(message: Message, key?: string): Promise<Answer<Turn & AnyBody>>;
  /** Every event, to the last. */
  stream(message: Message, key?: string): AsyncGenerator<StreamEvent, void>;
  events(id: string, lastId?: number): AsyncGenerator<StreamEvent, void>;
  turn(id: string): Promise<Answer<Turn & AnyBody>>;
  cancel(id: string): Promise<Answer<Turn & AnyBody>>;
  usage(query?: string): Promise<Answer<AnyBody>>;
  restart(body?: AnyBody, key?: string): Promise<Answer<AnyBody>>;
  restartOf(id: string): Promise<Answer<AnyBody>>;
  request(path: string, init?: RequestInit): Promise<Answer<AnyBody>>;
}

/** `base`: `http://HOST:9476/_runtime/agent`, or what a host shows of one. */
export function agentClient(base: string, token?: string): AgentClient {
  const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const go = (path: string, init: RequestInit = {}) =>
    fetch(`${base}${path}`, {
      ...init,
      headers: { ...headers, ...(init.headers as Record<string, string>) },
    });
  const request = async <T = AnyBody>(path: string, init?: RequestInit): Promise<Answer<T>> => {
    const response = await go(path, init);
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  };
  const post = <T = AnyBody>(path: string, body: unknown, key?: string) =>
    request<T>(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });

  async function* read(response: Response): AsyncGenerator<StreamEvent, void> {
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(piece, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        if (block.startsWith(':')) continue;
        yield { id: Number(field('id')), type: field('event'), data: JSON.parse(field('data')) as AnyBody };
      }
    }
  }

  return {
    describe: () => request(''),
    health: () => request('/health'),
    send: (message, key) => post('/messages', message, key),
    stream: async function* (message, key) {
      const body = JSON.stringify({ ...message, stream: true });
      yield* read(
        await go('/messages', {
          method: 'POST',
          body,
          headers: key === undefined ? {} : { 'idempotency-key': key },
        }),
      );
    },
    events: async function* (id, lastId) {
      const after = lastId === undefined ? {} : { 'last-event-id': String(lastId) };
      yield* read(await go(`/messages/${id}/events`, { headers: after }));
    },
    turn: (id) => request(`/messages/${id}`),
    cancel: (id) => request(`/messages/${id}/cancel`, { method: 'POST' }),
    usage: (query = '') => request(`/usage${query}`),
    restart: (body = {}, key) => post('/restart', body, key),
    restartOf: (id) => request(`/restart/${id}`),
    request,
  };
}
