/** A client of the agents' protocol, written from its description: it knows no kind. */

export interface Turn {
  readonly id: string;
  readonly conversation: string;
  readonly status: string;
  readonly reply: string;
  readonly stopReason: string | null;
  readonly usage: { readonly tokens: { readonly total: number }; readonly source: string } | null;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface StreamEvent {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface ProtocolClient {
  get<T = Record<string, unknown>>(path: string): Promise<Answer<T>>;
  post<T = Record<string, unknown>>(
    path: string,
    body: object,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
  /** A message whose answer is a stream, read to its end. */
  stream(body: object): Promise<readonly StreamEvent[]>;
  events(path: string, lastEventId?: number): Promise<readonly StreamEvent[]>;
}

/** `address`: of `/_runtime/agent`, or of an instance on a host. */
export function protocolClient(address: string, token?: string): ProtocolClient {
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${address}${path}`, {
      ...init,
      headers: { ...authorization, ...(init.headers as Record<string, string>) },
    });
  const answer = async <T>(response: Response): Promise<Answer<T>> => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as T,
  });
  const json = { 'content-type': 'application/json' };
  return {
    get: async (path) => answer(await call(path)),
    post: async (path, body, headers = {}) =>
      answer(
        await call(path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) }),
      ),
    stream: async (body) => {
      const headers = { ...json, accept: 'text/event-stream' };
      return parse(
        await (await call('/messages', { method: 'POST', headers, body: JSON.stringify(body) })).text(),
      );
    },
    events: async (path, lastEventId) => {
      const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
      return parse(await (await call(path, { headers })).text());
    },
  };
}

function parse(text: string): readonly StreamEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const field = (name: string) =>
      block
        .split('\n')
        .filter((line) => line.startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2))
        .join('\n');
    return field('event') === ''
      ? []
      : [
          {
            id: Number(field('id')),
            event: field('event'),
            data: JSON.parse(field('data')) as Record<string, unknown>,
          },
        ];
  });
}
