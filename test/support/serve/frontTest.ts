import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { HostView } from '../../../src/host/sandboxes/placement/place.ts';
import { type OpenFront, openFront } from '../../../src/protocol/tangle/openFront.ts';
import { temporaryDirectory } from '../files/temporary.ts';
import { memoryLog } from '../memoryLog.ts';
import { type ModelSandboxes, modelSandboxes } from './modelSandboxes.ts';
import { testDisks } from './testDisks.ts';

export interface Asked {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a client reads has no types.
  readonly body: any;
  readonly headers: Headers;
}

export interface FrontTest {
  readonly url: string;
  readonly sandboxes: ModelSandboxes;
  readonly folder: string;
  readonly lines: readonly string[];
  close(): Promise<void>;
  /** As SDK 0.1.0 asks: JSON is said of every request. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Asked>;
}

/** A host on which there is room for much. */
export const modelHost: Omit<HostView, 'used'> = {
  name: 'model',
  id: 'model',
  driver: 'docker',
  unfit: undefined,
  total: { cpuMillis: 64_000, memoryBytes: 2 ** 36, diskBytes: 2 ** 40, slots: 100 },
};

/** The front on a port of its own over sandboxes that are a model's. */
export async function frontTest(options: Partial<OpenFront> = {}): Promise<FrontTest> {
  const folder = options.folder ?? (await temporaryDirectory());
  const sandboxes = (options.sandboxes as ModelSandboxes | undefined) ?? modelSandboxes();
  const { log, lines } = memoryLog();
  const front = await openFront({
    folder,
    key: new Secret('sk_test'),
    port: 0,
    who: 'this-machine',
    publicUrl: undefined,
    policy: undefined,
    hosts: () => [modelHost],
    disks: testDisks(join(folder, 'store')),
    holdsEgress: true,
    isReady: () => true,
    version: '0.0.0-test',
    registry: new Registry(),
    clock: systemClock,
    log,
    ...options,
    sandboxes,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= front.close();
    return closed;
  };
  onTestFinished(close);
  const url = `http://127.0.0.1:${front.port}`;
  return {
    url,
    sandboxes,
    folder,
    lines,
    close,
    ask: async (method, path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk_test', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text.startsWith('{') ? JSON.parse(text) : text,
      };
    },
  };
}
