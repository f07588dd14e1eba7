import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { temporaryDirectory } from '../files/temporary.ts';
import { type FrontTest, frontTest, modelHost } from './frontTest.ts';
import { modelSandboxes } from './modelSandboxes.ts';

export const slots = (count: number) => () => [{ ...modelHost, total: { ...modelHost.total, slots: count } }];

/** A server that answers so, until the test ends: its port. */
export async function serverOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Another machine: a front over a model of its own, whose sandboxes answer with the path that they were asked, or with what `inside` says. */
export async function machine(
  count: number,
  inside: (request: IncomingMessage) => unknown = ({ url }) => ({ inside: url }),
): Promise<FrontTest> {
  const port = await serverOf((request, response) => response.end(JSON.stringify(inside(request))));
  return await frontTest({
    key: new Secret('sk_member'),
    hosts: slots(count),
    sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')),
  });
}

export interface Host {
  readonly name: string;
  readonly url: string;
  readonly standby?: boolean;
}

/** The same with a name of its own. */
export const named =
  (id: string, count = 10) =>
  () =>
    slots(count)().map((host) => ({ ...host, name: id, id }));

/** The file of `--hosts`. */
export async function hostsFile(hosts: readonly Host[], webhook?: string): Promise<string> {
  const folder = await temporaryDirectory();
  writeFileSync(join(folder, 'key'), 'sk_member\n');
  writeFileSync(join(folder, 'secret'), 'hook-secret\n');
  const path = join(folder, 'hosts.yaml');
  const all = hosts.map((host) => ({ ...host, keyFile: join(folder, 'key') }));
  const hook = webhook === undefined ? {} : { webhook: { url: webhook, secretFile: join(folder, 'secret') } };
  writeFileSync(path, JSON.stringify({ hosts: all, ...hook }));
  return path;
}

/** Waits until the front has heard of these. */
export async function healthy(
  front: FrontTest,
  names: readonly string[],
  headers: Record<string, string> = {},
): Promise<void> {
  await expect
    .poll(
      async () => {
        const { hosts } = (await front.ask('GET', '/v1/hosts', undefined, headers)).body;
        return hosts
          .filter((host: { healthy: boolean }) => host.healthy)
          .map(({ name }: { name: string }) => name);
      },
      { timeout: 30_000 },
    )
    .toEqual(expect.arrayContaining([...names]));
}

/** A new sandbox of a front, once it runs: its id, and the token of what is inside. */
export async function runningSandbox({ ask }: FrontTest): Promise<{ id: string; authToken: string }> {
  const { id } = (await ask('POST', '/v1/sandboxes', {})).body;
  const info = async () => (await ask('GET', `/v1/sandboxes/${id}`)).body;
  await expect.poll(async () => (await info()).status, { timeout: 30_000 }).toBe('running');
  return { id, authToken: (await info()).connection.authToken };
}
