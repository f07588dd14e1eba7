import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { asRuntimeError, RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { HostApi } from '../api/hostApi.ts';
import { route } from './routes.ts';
import { statusOf, toWire } from './wire.ts';

/**
 * The room of the operator's socket: `startControl` listens, `routes` has the calls (each one of `host/api`), `follow` streams lines to
 * a caller that may be slow, `client` is the other side, in the commands, and `wire` carries errors across.
 */

export interface Control {
  close(): Promise<void>;
}

/**
 * The operator's socket: HTTP on a Unix socket that belongs to whoever started the host and that nobody else may open. Who may
 * open it may do all that an operator can, so it is never mounted into a container.
 */
export async function startControl(path: string, api: HostApi): Promise<Control> {
  const server = createServer((request, response) => void answer(api, request, response));
  try {
    makeFolders(dirname(path), 0o711);
    // A host with another data folder may have it.
    if (await isAnswered(path)) throw new Error('another host listens there');
    rmSync(path, { force: true });
    await listen(server, path);
  } catch (error) {
    throw new RuntimeError('config', `no operator's socket at ${path}: ${(error as Error).message}`, {
      op: 'host.socket',
      path,
      hint: '--socket (RUNTIME_HOST_SOCKET) names another path; hosts and `runtime bots` have to name the same.',
      cause: error,
    });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function listen(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

async function answer(api: HostApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const url = new URL(request.url ?? '/', 'http://host');
    const found = await route(api, {
      method: request.method ?? 'GET',
      url,
      body: request,
      signal: gone.signal,
    });
    if (found === undefined)
      throw new RuntimeError('not-found', `no such call: ${request.method} ${url.pathname}`);
    if (!('stream' in found)) return send(response, 200, found.value ?? null);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.flushHeaders();
    for await (const chunk of found.stream) {
      if (gone.signal.aborted) break;
      if (!response.write(chunk))
        await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end();
  } catch (error) {
    const known = asRuntimeError(error);
    if (response.headersSent) response.destroy();
    else send(response, statusOf[known.code] ?? 500, toWire(known));
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}
