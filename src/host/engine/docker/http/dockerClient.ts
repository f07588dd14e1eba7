import { Agent, type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../../base/errors.ts';
import { answerOf, readWhole } from '../../../../base/httpAnswer.ts';
import { dockerError, noAnswer } from './dockerError.ts';
import type { EngineAddress } from './engineAddress.ts';

/**
 * The Engine's HTTP interface over its socket. Node's own HTTP, no library: dockerode (5.0.1) waits for ever when an answer is
 * cut or stalls half-way, its `timeout` notwithstanding, and takes a shortened answer for a whole one; it also
 * costs 30 MiB and 110 ms of CPU against 4 and 5. Every wait here has an end, and an answer is whole or an error.
 */
export interface DockerClient {
  /** The answer's JSON, read to its end within the time limit; undefined where it has no body. */
  call<T = undefined>(request: DockerRequest): Promise<T>;
  /** Resolves with the head of a good answer; its body has no time limit. */
  stream(request: DockerRequest): Promise<IncomingMessage>;
  /** The connection itself, after the engine has agreed to give it. */
  hijack(request: DockerRequest): Promise<Duplex>;
  /** `1.41`: the version of the interface that both sides speak. */
  version(signal: AbortSignal): Promise<string>;
  close(): void;
}

export interface DockerRequest {
  /** For errors: `engine.create`. */
  readonly op: string;
  /** For messages: what it is about. */
  readonly subject: string;
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  /** Behind the version: `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 10_000;
/** 10,000 containers are described in 30 MiB. */
const LONGEST_ANSWER_BYTES = 128 * 1024 * 1024;
/** What the driver has been tried with; engines that are newer still speak it. */
const NEWEST = '1.47';
const OLDEST = '1.41';

export function createDockerClient(address: EngineAddress): DockerClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, maxFreeSockets: 4, timeout: 30_000 });
  const streams = new Agent();
  let agreed: string | undefined;

  const version = async (signal: AbortSignal): Promise<string> => {
    if (agreed !== undefined) return agreed;
    const ping = { op: 'engine.ping', subject: 'engine', method: 'GET', path: '/_ping', signal } as const;
    const { response } = await exchange(ping, '', agent, readBounded);
    const theirs = response.headers['api-version']?.toString() ?? '';
    if (!/^1\.\d+$/.test(theirs))
      throw noAnswer('engine.ping', 'engine', new Error('not the answer of a Docker Engine'));
    if (minor(theirs) < minor(OLDEST))
      throw new RuntimeError('config', `this Docker Engine speaks version ${theirs} of its interface`, {
        hint: `Use Docker Engine 20.10 or newer (${OLDEST}).`,
      });
    agreed = minor(theirs) < minor(NEWEST) ? theirs : NEWEST;
    return agreed;
  };
  const prefix = async (signal: AbortSignal) => `/v${await version(signal)}`;

  /** Sends and lets `finish` take what it needs of the answer; both within the time limit. */
  const exchange = async <T>(
    request: DockerRequest,
    versioned: string,
    through: Agent,
    finish: (response: IncomingMessage) => Promise<T>,
    upgrade = false,
  ): Promise<{ readonly response: IncomingMessage; readonly value: T }> => {
    const { op, subject, signal, timeoutMs = TIMEOUT_MS } = request;
    signal.throwIfAborted();
    const outgoing = send(address, request, versioned, through, upgrade);
    const giveUp = () => outgoing.destroy(new Error(`none within ${timeoutMs} ms`));
    const timer = setTimeout(giveUp, timeoutMs);
    const abort = () => outgoing.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const response = await answerOf(outgoing);
      const status = response.statusCode ?? 0;
      if (status >= 300 || (status < 200 && status !== 101))
        throw dockerError(op, subject, status, messageOf(await readBounded(response)));
      return { response, value: await finish(response) };
    } catch (error) {
      outgoing.destroy();
      signal.throwIfAborted();
      throw noAnswer(op, subject, error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };

  return {
    version,
    async call<T>(request: DockerRequest): Promise<T> {
      const versioned = await prefix(request.signal);
      const { value } = await exchange(request, versioned, agent, async (response) => {
        const text = await readBounded(response);
        try {
          return text === '' ? undefined : JSON.parse(text);
        } catch {
          throw new Error('an answer that is not JSON');
        }
      });
      return value as T;
    },
    async stream(request) {
      const versioned = await prefix(request.signal);
      const { response } = await exchange(request, versioned, streams, async () => undefined);
      const abort = () => response.destroy(request.signal.reason as Error);
      request.signal.addEventListener('abort', abort, { once: true });
      response.once('close', () => request.signal.removeEventListener('abort', abort));
      return response;
    },
    async hijack(request) {
      const versioned = await prefix(request.signal);
      const take = async (response: IncomingMessage) => response.socket;
      const { value } = await exchange(request, versioned, streams, take, true);
      return value;
    },
    close() {
      agent.destroy();
      streams.destroy();
    },
  };
}

function send(
  address: EngineAddress,
  { method, path, query, headers, body }: DockerRequest,
  versioned: string,
  agent: Agent,
  upgrade: boolean,
): ClientRequest {
  const search = query ? `?${new URLSearchParams(query)}` : '';
  const json = body === undefined ? undefined : JSON.stringify(body);
  const outgoing = startRequest({
    ...address,
    ...('socketPath' in address && { host: 'docker' }),
    agent,
    method,
    path: `${versioned}${path}${search}`,
    headers: {
      ...headers,
      ...(json !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(json),
      }),
      ...(upgrade && { connection: 'Upgrade', upgrade: 'tcp' }),
    },
  });
  outgoing.end(json);
  return outgoing;
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const text = await readWhole(response, LONGEST_ANSWER_BYTES);
  // Without a length, the end of the connection looks like the end of the answer.
  const { headers } = response;
  const bounded = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (text !== '' && !bounded) throw new Error('an answer that does not say where it ends');
  return text;
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}

function minor(version: string): number {
  return Number(version.slice(2));
}
