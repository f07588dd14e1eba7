import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKubeconfig } from '../../../src/host/kubernetes/kubeconfig.ts';

/** What becomes of a request: undefined, it is sent on. */
export type Trouble =
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Sent on, and its answer thrown away. */
  | 'lose-answer'
  /** No answer, and the connection is gone. */
  | 'cut';

export interface ApiProxy extends AsyncDisposable {
  /** Of a cluster that is reached through here, as whoever the real one names. */
  readonly kubeconfig: string;
  /** `GET pods`, `PATCH bots/status` → how many. */
  readonly counts: ReadonlyMap<string, number>;
  /** `list pods`, `patch bots/status`: what was asked for, in the words of a Role, and how often. */
  readonly verbs: ReadonlyMap<string, number>;
  /** … and what the API has forbidden. */
  readonly refused: readonly string[];
  /** Answers of the API itself that a moment is forgotten (410): as a status, or inside a watch. */
  readonly forgotten: number;
  /** So many requests; watches count once. */
  total(): number;
  trouble: (what: string) => Trouble | undefined;
  /** Ends every watch that is open now. */
  cutWatches(): void;
  /** Nothing gets through, in neither direction: connections stay open and silent. */
  silent: boolean;
}

/** Stands between a host and the API of a cluster: counts what is asked, and makes what goes wrong with networks and servers. */
export async function apiProxy(kubeconfig: string, token?: string): Promise<ApiProxy> {
  const { server: target, tls } = readKubeconfig(kubeconfig, process.env, Date.now);
  const url = new URL(target);
  const agent = new Agent({
    keepAlive: true,
    ca: tls.ca!,
    // With a token, as whose it is; else as whom the kubeconfig names.
    ...(tls.client && token === undefined ? { cert: tls.client.cert, key: tls.client.key.reveal() } : {}),
  });
  const counts = new Map<string, number>();
  const verbs = new Map<string, number>();
  const refused: string[] = [];
  const watches = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const own = { trouble: (() => undefined) as ApiProxy['trouble'], silent: false, forgotten: 0 };

  function answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const what = `${incoming.method} ${resourceOf(incoming.url ?? '')}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
    if (own.silent) return void incoming.resume();
    const trouble = own.trouble(what);
    if (trouble === 'cut') return void incoming.socket.destroy();
    if (trouble !== undefined && trouble !== 'lose-answer') {
      incoming.resume();
      const body = JSON.stringify({ kind: 'Status', message: 'trouble', code: trouble.status });
      return void outgoing.writeHead(trouble.status, trouble.headers).end(body);
    }
    const right = rightOf(incoming.method ?? '', incoming.url ?? '');
    verbs.set(right, (verbs.get(right) ?? 0) + 1);
    const { host: _, ...given } = incoming.headers;
    const headers = token === undefined ? given : { ...given, authorization: `Bearer ${token}` };
    const sent = secureRequest({
      agent,
      host: url.hostname,
      port: url.port,
      method: incoming.method,
      path: incoming.url,
      headers,
    });
    sent.on('error', () => incoming.socket.destroy());
    sent.on('response', (response) => {
      if (response.statusCode === 403) refused.push(right);
      if (response.statusCode === 410) own.forgotten += 1;
      if (trouble === 'lose-answer') {
        response.resume();
        return void response.on('end', () => incoming.socket.destroy());
      }
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      if (incoming.url?.includes('watch=1')) {
        watches.add(outgoing);
        outgoing.flushHeaders();
        outgoing.once('close', () => watches.delete(outgoing));
      }
      response.on('data', (chunk: Buffer) => {
        if (chunk.includes('{"type":"ERROR"') && chunk.includes('"code":410')) own.forgotten += 1;
        if (!own.silent) outgoing.write(chunk);
      });
      response.on('end', () => outgoing.end());
      response.on('error', () => incoming.socket.destroy());
    });
    outgoing.once('close', () => sent.destroy());
    incoming.pipe(sent);
  }

  const server = createServer(answer);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'api-proxy-'));
  const path = join(folder, 'kubeconfig');
  const { port } = server.address() as AddressInfo;
  await writeFile(path, kubeconfigOf(`http://127.0.0.1:${port}`));

  return Object.assign(own, {
    kubeconfig: path,
    counts,
    verbs,
    refused,
    total: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    cutWatches: () => {
      for (const watch of watches) watch.socket?.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** `/api/v1/namespaces/a/pods/b/log?x` → `pods/log` */
function resourceOf(url: string): string {
  const [path = ''] = url.split('?');
  const [, rest = path] = /^\/apis?\/.*?\/namespaces\/[^/]+\/(.+)$/.exec(path) ?? [];
  const [kind, , subresource] = rest.split('/');
  return subresource === undefined ? (kind ?? '') : `${kind}/${subresource}`;
}

function rightOf(method: string, url: string): string {
  const [path = '', query = ''] = url.split('?');
  const [, rest = ''] = /\/namespaces\/[^/]+\/(.+)$/.exec(path) ?? [];
  const hasName = rest.split('/').length > 1;
  const verb =
    method === 'GET'
      ? query.includes('watch=1')
        ? 'watch'
        : hasName
          ? 'get'
          : 'list'
      : { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method];
  return `${verb} ${resourceOf(url)}`;
}

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    clusters: [{ name: 'proxy', cluster: { server } }],
    users: [{ name: 'proxy', user: {} }],
  });
}
