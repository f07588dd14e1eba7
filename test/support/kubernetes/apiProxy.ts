import { readFileSync } from 'node:fs';
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
  /** So many requests; watches count once. */
  total(): number;
  trouble: (what: string) => Trouble | undefined;
  /** Ends every watch that is open now. */
  cutWatches(): void;
  /** Nothing gets through, in neither direction: connections stay open and silent. */
  silent: boolean;
}

/** Stands between a host and the API of a cluster: counts what is asked, and makes what goes wrong with networks and servers. */
export async function apiProxy(kubeconfig: string): Promise<ApiProxy> {
  const { server: target, tls } = readKubeconfig(kubeconfig, process.env, Date.now);
  const url = new URL(target);
  const agent = new Agent({
    keepAlive: true,
    ca: tls.ca!,
    ...(tls.client ? { cert: tls.client.cert, key: tls.client.key.reveal() } : {}),
  });
  const counts = new Map<string, number>();
  const watches = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const own: { trouble: ApiProxy['trouble']; silent: boolean } = { trouble: () => undefined, silent: false };

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
    const { host: _, ...headers } = incoming.headers;
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

/** The kubeconfig of the cluster with another user: a service account by its token. */
export async function kubeconfigWithToken(
  kubeconfig: string,
  token: string,
  folder: string,
): Promise<string> {
  const config = JSON.parse(JSON.stringify((await import('yaml')).parse(readFileSync(kubeconfig, 'utf8'))));
  config.users = [{ name: 'account', user: { token } }];
  for (const { context } of config.contexts) context.user = 'account';
  const path = join(folder, 'account.kubeconfig');
  await writeFile(path, JSON.stringify(config));
  return path;
}
