import { type IncomingMessage, request } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { isRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';
import { fromWire, type WireError } from './wire.ts';

/** The operator's side of the socket. */
export interface ControlClient {
  /** Throws what the host threw; `unavailable` where there is none. */
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'DELETE', path: string, body?: string): Promise<T>;
  /** The answer's bytes as they come, until the signal. */
  stream(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The same, as lines of JSON. */
  lines<T>(path: string, signal: AbortSignal): AsyncIterable<T>;
}

export function createControlClient(socketPath: string): ControlClient {
  async function call(
    method: string,
    path: string,
    body?: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        { socketPath, method, path: `/v1${path}`, ...(signal ? { signal } : {}) },
        resolve,
      );
      sent.once('error', (error) => reject(signal?.aborted ? error : away(socketPath, error)));
      sent.end(body);
    });
    if (response.statusCode === 200) return response;
    throw fromWire(await asError(response));
  }

  async function* stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const response = await call('GET', path, undefined, signal);
      for await (const chunk of response) yield chunk as Uint8Array;
    } catch (error) {
      if (signal.aborted) return;
      throw isRuntimeError(error) ? error : away(socketPath, error as Error);
    }
  }

  return {
    get: async <T>(path: string) => (await json(await call('GET', path))) as T,
    send: async <T>(method: string, path: string, body?: string) =>
      (await json(await call(method, path, body))) as T,
    stream,
    lines: async function* <T>(path: string, signal: AbortSignal) {
      let rest = '';
      const decoder = new TextDecoder();
      for await (const chunk of stream(path, signal)) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) yield JSON.parse(part) as T;
      }
    },
  };
}

async function asError(response: IncomingMessage): Promise<WireError> {
  const body = await text(response);
  try {
    return JSON.parse(body) as WireError;
  } catch {
    return {
      error: { code: 'internal', message: `the host answered ${response.statusCode}: ${body.slice(0, 200)}` },
    };
  }
}

function away(path: string, error: Error): RuntimeError {
  const denied = systemCode(error) === 'EACCES';
  return new RuntimeError(denied ? 'denied' : 'unavailable', `no host answers on ${path}: ${error.message}`, {
    op: 'control.call',
    path,
    hint: denied
      ? 'The socket belongs to whoever started the host: be that user.'
      : '`runtime host` has to run on this machine; --socket or RUNTIME_HOST_SOCKET says where it listens.',
    cause: error,
  });
}
