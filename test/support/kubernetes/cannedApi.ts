import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createKubeClient, type KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';

/** A fake: answers of an API server that a real one gives only when it is in trouble. The real one is asked in test/kubernetes. */
export interface CannedApi extends AsyncDisposable {
  readonly client: KubeClient;
  /** `METHOD path?query` and the token of each request, in their order. */
  readonly asked: readonly { readonly what: string; readonly token: string | undefined }[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Each request takes the next answer; the last one stays. */
export async function cannedApi(...answers: Answer[]): Promise<CannedApi> {
  const asked: { what: string; token: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ what: `${request.method} ${request.url}`, token: request.headers.authorization });
    answers[Math.min(asked.length, answers.length) - 1]!(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let tokens = 0;
  let token = new Secret('first');
  const client = createKubeClient(
    {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/proxy`,
      tls: { ca: undefined, serverName: undefined, insecure: false, client: undefined },
      namespace: 'bots',
      token: async (anew) => {
        if (anew) token = new Secret(`anew-${++tokens}`);
        return token;
      },
    },
    systemClock,
  );
  return {
    client,
    asked,
    [Symbol.asyncDispose]: async () => {
      client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(JSON.stringify(body));

/** Lines of a watch; stays open unless `end` is set. */
export const lines =
  (end: boolean, ...events: unknown[]): Answer =>
  (_, response) => {
    response.writeHead(200);
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
    if (end) response.end();
  };

/** The connection breaks off in the middle of it. */
export const cut =
  (text: string): Answer =>
  (_, response) => {
    response.writeHead(200);
    response.write(text, () => response.destroy());
  };
