import type { ClientRequest, Agent as HttpAgent } from 'node:http';
import { believed } from '../authorities.ts';
import type { Memory, ObjectBody } from '../objectStore.ts';
import { ASK_FIRST_BYTES, exchange } from './httpExchange.ts';
import { openConnections } from './plain/connections.ts';
import type { StoreAnswer } from './plain/plainAnswer.ts';
import { plainExchange } from './plain/plainExchange.ts';

export interface TransportOptions {
  /** Origin. */
  readonly url: URL;
  readonly authorities?: string | undefined;
  /** Milliseconds. */
  readonly connectMs: number;
  /** Milliseconds in which no byte moves. */
  readonly idleMs: number;
}

export interface TransportRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ObjectBody | undefined;
  /** Where the answer's body may be put, from its start. */
  readonly into?: Memory | undefined;
  readonly signal: AbortSignal | undefined;
  /** For messages. */
  readonly key: string;
}

export interface Transport {
  /** Resolves with an answer, its body not yet read. */
  exchange(request: TransportRequest): Promise<StoreAnswer>;
  close(): void;
}

/** Of connections kept for the next request; shorter than any server's own limit. Milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** What an old proxy answers to `Expect: 100-continue`. */
const EXPECTATION_FAILED = 417;

/** HTTP to one store: Node's own client, loaded by what needs it (TLS, large bodies), and a small one for everything else. */
export function openTransport({ url, ...options }: TransportOptions): Transport {
  // `hostname` of an IPv6 endpoint has brackets that a lookup does not take.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const plain = secure
    ? undefined
    : openConnections({
        host,
        port: Number(url.port || 80),
        connectMs: options.connectMs,
        keepMs: KEEP_ALIVE_MS,
      });
  let client: Promise<NodeClient> | undefined;
  let asksFirst = true;
  return {
    async exchange({ key, body, into, ...request }) {
      if (plain && isSmall(body))
        return await plainExchange(plain, { ...request, body, into, idleMs: options.idleMs });
      client ??= loadClient(secure, options.authorities);
      const { start, agent } = await client;
      const { signal, ...rest } = request;
      const send = () => {
        const outgoing = start({ agent, host, port: url.port, ...rest, ...(signal && { signal }) });
        return exchange(outgoing, { key, body, signal, asksFirst, ...options });
      };
      const answer = await send();
      if (answer.statusCode !== EXPECTATION_FAILED || !asksFirst) return answer;
      // Of somebody in between who does not know the question: the same without it, from now on.
      asksFirst = false;
      answer.destroy();
      return await send();
    },
    close() {
      plain?.close();
      client?.then(
        ({ agent }) => agent.destroy(),
        () => {},
      );
    },
  };
}

function isSmall(body: ObjectBody | undefined): body is Uint8Array | undefined {
  return body === undefined || (body instanceof Uint8Array && body.length < ASK_FIRST_BYTES);
}

interface NodeClient {
  readonly agent: HttpAgent;
  readonly start: (options: import('node:https').RequestOptions) => ClientRequest;
}

async function loadClient(secure: boolean, authorities: string | undefined): Promise<NodeClient> {
  const { Agent, request } = secure ? await import('node:https') : await import('node:http');
  const ca = secure && authorities !== undefined ? believed(authorities) : undefined;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 8,
    maxFreeSockets: 2,
    timeout: KEEP_ALIVE_MS,
    ...(ca && { ca }),
  });
  return { agent, start: request };
}
