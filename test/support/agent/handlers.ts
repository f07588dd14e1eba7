import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../files/temporary.ts';
import { type StartedRuntime, startRuntime } from '../process/executable.ts';
import { freePort } from '../process/freePort.ts';
import { type AgentClient, agentClient } from './agentClient.ts';

/** A handler that does what the parrot does (test/fixtures/agents). */
export interface HandlerSample {
  readonly name: string;
  /** Its files in `folder`; gives the variables that it needs besides. */
  make(folder: string): Promise<Record<string, string>>;
}

export interface RunningAgent {
  readonly client: AgentClient;
  readonly url: string;
  readonly port: string;
  readonly folder: string;
  /** Of the life that runs now. */
  readonly runtime: () => StartedRuntime;
  /** Another life on the same folder; resolves when it is ready. */
  again(): Promise<void>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

const fixtures = join(import.meta.dirname, '../../fixtures/agents');

function handler(kind: string, file: string): HandlerSample {
  return {
    name: `a handler in ${kind}`,
    make: async (folder) => {
      await cp(join(fixtures, file), join(folder, file));
      const lines = ['name: parrot', 'type: realtime', `runtime: ${kind}`, `entrypoints: {message: ${file}}`];
      await writeFile(join(folder, 'bot.yaml'), `${lines.join('\n')}\n`);
      return {};
    },
  };
}

/** In every language that has them. */
export const samples: readonly HandlerSample[] = [
  handler('python3.11', 'parrot.py'),
  handler('nodejs20', 'parrot.mjs'),
];

/** Resolves when it takes messages. Ended when the test has finished. */
export async function runHandler(
  sample: HandlerSample,
  extra: Record<string, string> = {},
  token?: string,
): Promise<RunningAgent> {
  const folder = await temporaryDirectory();
  const env = { ...(await sample.make(folder)), SYNC_ON_CHANGE: '100ms', ...extra };
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}/_runtime/agent`;
  const client = agentClient(url, token);
  let runtime: StartedRuntime;
  const start = async () => {
    runtime = startRuntime(['execute', folder], { ...env, QUERY_PORT: port });
    await whenReady(client, runtime);
  };
  await start();
  return {
    client,
    url,
    port,
    folder,
    runtime: () => runtime,
    again: start,
    stop: async () => {
      runtime.child.kill('SIGTERM');
      return (await runtime.finished).code;
    },
  };
}

/** Rejects when it has ended before. */
export async function whenReady(client: AgentClient, runtime?: StartedRuntime): Promise<void> {
  let end: string | undefined;
  void runtime?.finished.then(({ code, stderr }) => {
    end = `the agent ended with ${code}: ${stderr}`;
  });
  for (;;) {
    const health = await client.health().catch(() => undefined);
    if (health?.body.ready === true) return;
    if (end !== undefined) throw new Error(end);
    await sleep(50);
  }
}
