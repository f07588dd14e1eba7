import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http';
import { Agent, type RequestOptions, request as secureRequest } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { answerOf, readWhole } from '../../base/httpAnswer.ts';
import type { Secret } from '../../base/secret.ts';
import type { ClusterAccess } from './access.ts';
import { kubeError, noAnswer, type Status } from './kubeError.ts';

/*
 * The room of a cluster's API. It knows nothing of bots.
 *
 *   openAccess           where the cluster is, and as whom: `kubeconfig`, `inCluster`, `execToken`
 *   kubeClient           one request and its answer; `kubeError`, what a refusal means
 *   resource, objects    the verbs on one kind of object; the shapes that are read
 *   follow               a list, then its changes, for ever: `listPages`, `watchOnce`
 *   openLease            which of several replicas works
 */

/**
 * The API of a cluster over HTTP/1.1. Node's own HTTP, no library: `@kubernetes/client-node` keeps whole objects (10,000 pods: 555 MiB and
 * 7 s, against 178 MiB and 3 to 4 s with the fields that are needed), and its watches end without telling anybody. Every wait here has
 * an end, and an answer is whole or an error. 429 and 503 with `Retry-After` are obeyed, a token that is not accepted is read anew.
 */
export interface KubeClient {
  readonly server: string;
  /** The namespace of who asks. */
  readonly namespace: string;
  /** The answer's JSON, read to its end within the time limit. */
  call<T = unknown>(request: KubeRequest): Promise<T>;
  /** Resolves with the head of a good answer; its body has no time limit. */
  stream(request: KubeRequest): Promise<IncomingMessage>;
  /** Requests sent so far, for metrics. */
  readonly requests: number;
  close(): void;
}

export interface KubeRequest {
  /** For errors: `engine.create`. */
  readonly op: string;
  /** For messages: what it is about. */
  readonly subject: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 30_000;
/** 500 pods of three containers are 6 MiB. */
const LONGEST_ANSWER_BYTES = 64 * 1024 * 1024;
const IN_FLIGHT = 50;
/** A peer that is gone without a word is noticed 10 s later: Node probes ten times, once a second. */
const KEEP_ALIVE_MS = 15_000;
const ASK_AGAIN = 3;
const LONGEST_WAIT_MS = 10_000;

interface Answer<T> {
  readonly value: T;
}

interface Refusal {
  readonly status: number;
  readonly said: Status;
  readonly waitMs: number;
}

/** `mayWrite` is asked before each sending of what changes something, repeated ones too; it throws where that may no longer be done. */
export function createKubeClient(
  access: ClusterAccess,
  clock: Clock,
  mayWrite: () => void = () => undefined,
): KubeClient {
  const url = new URL(access.server);
  const secure = url.protocol === 'https:';
  const tls = {
    ca: access.tls.ca,
    servername: access.tls.serverName,
    rejectUnauthorized: !access.tls.insecure,
    cert: access.tls.client?.cert,
    key: access.tls.client?.key.reveal(),
  };
  const keepAlive = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS } as const;
  const pool = { ...keepAlive, maxSockets: IN_FLIGHT, maxFreeSockets: 8, timeout: 60_000 };
  const agent = secure ? new Agent({ ...pool, ...given(tls) }) : new PlainAgent(pool);
  const streams = secure ? new Agent({ ...keepAlive, ...given(tls) }) : new PlainAgent(keepAlive);
  let requests = 0;

  const send = (
    request: KubeRequest,
    token: Secret | undefined,
    through: Agent | PlainAgent,
  ): ClientRequest => {
    const { method, path, query, headers, body, contentType = 'application/json' } = request;
    const json = body === undefined ? undefined : JSON.stringify(body);
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const options: RequestOptions = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (secure ? 443 : 80),
      agent: through as Agent,
      method,
      path: `${url.pathname.replace(/\/$/, '')}${path}${search}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'runtime-host',
        ...headers,
        ...(token && { authorization: `Bearer ${token.reveal()}` }),
        ...(json !== undefined && {
          'content-type': contentType,
          'content-length': Buffer.byteLength(json),
        }),
      },
    };
    const outgoing = secure ? secureRequest(options) : plainRequest(options);
    requests += 1;
    outgoing.end(json);
    return outgoing;
  };

  /** Sends once and lets `finish` take what it needs of a good answer; both within the time limit. */
  const once = async <T>(
    request: KubeRequest,
    anew: boolean,
    through: Agent | PlainAgent,
    finish: (response: IncomingMessage) => Promise<T>,
  ): Promise<Answer<T> | Refusal> => {
    const { signal, timeoutMs = TIMEOUT_MS } = request;
    signal.throwIfAborted();
    const token = await access.token(anew, signal);
    if (request.method !== 'GET') mayWrite();
    const outgoing = send(request, token, through);
    const timer = setTimeout(() => outgoing.destroy(new Error(`none within ${timeoutMs} ms`)), timeoutMs);
    const abort = () => outgoing.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const response = await answerOf(outgoing);
      const status: number = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return { value: await finish(response) };
      const said = statusOf(await readWhole(response, LONGEST_ANSWER_BYTES));
      const seconds = Number(response.headers['retry-after'] ?? said.details?.retryAfterSeconds ?? 0);
      return { status, said, waitMs: Math.min(LONGEST_WAIT_MS, (seconds || 0) * 1000) };
    } catch (error) {
      outgoing.destroy();
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };

  const exchange = async <T>(
    request: KubeRequest,
    through: Agent | PlainAgent,
    finish: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> => {
    const { op, subject, signal } = request;
    for (let asked = 0, anew = false; ; asked += 1) {
      let answer: Answer<T> | Refusal;
      try {
        answer = await once(request, anew, through, finish);
      } catch (error) {
        signal.throwIfAborted();
        throw noAnswer(op, subject, error);
      }
      if ('value' in answer) return answer.value;
      const { status, said, waitMs }: Refusal = answer;
      // Both mean that nothing was done: the API asks for patience, or did not know the token.
      const wait = (status === 429 || status === 503) && waitMs > 0 && asked < ASK_AGAIN;
      if (!wait && !(status === 401 && !anew))
        throw kubeError(op, subject, status, said, waitMs || undefined);
      anew ||= status === 401;
      if (wait) await clock.sleep(waitMs, signal);
    }
  };

  return {
    server: access.server,
    namespace: access.namespace,
    get requests() {
      return requests;
    },
    call<T>(request: KubeRequest): Promise<T> {
      return exchange(request, agent, async (response) => {
        const text = await readWhole(response, LONGEST_ANSWER_BYTES);
        try {
          return JSON.parse(text) as T;
        } catch {
          throw new Error('an answer that is not JSON');
        }
      });
    },
    async stream(request) {
      const response = await exchange(request, streams, async (head) => head);
      const abort = () => response.destroy(request.signal.reason as Error);
      request.signal.addEventListener('abort', abort, { once: true });
      response.once('close', () => request.signal.removeEventListener('abort', abort));
      return response;
    },
    close() {
      agent.destroy();
      streams.destroy();
    },
  };
}

function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function statusOf(text: string): Status {
  try {
    const value = JSON.parse(text) as Status;
    return typeof value === 'object' && value !== null ? value : { message: text };
  } catch {
    return { message: text };
  }
}
