import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newContainer, type StartedRuntime, startRuntime, type Variables } from '../process/executable.ts';
import { freePort } from '../process/freePort.ts';
import { type ProtocolClient, protocolClient } from './protocolClient.ts';

export interface AgentCase {
  /** What is in the code path, by name. */
  readonly code?: Readonly<Record<string, string>>;
  /** Manifests of kinds, by name. */
  readonly manifests?: Readonly<Record<string, string>>;
  readonly env: Variables;
}

export interface RunningAgent {
  readonly runtime: StartedRuntime;
  readonly client: ProtocolClient;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Of the file store. */
  readonly store: string;
  readonly root: string;
  readonly env: Variables;
  /** Another life, on the same volumes. */
  again(): Promise<RunningAgent>;
}

export const TOKEN = 'a-token-of-the-test';

/** `runtime execute` of an agent, on a file store and any port. Ended with the test. `prepare`: what is done to its folder first. */
export async function runAgent(
  { code = {}, manifests = {}, env }: AgentCase,
  prepare: (folder: string) => Promise<void> = async () => undefined,
): Promise<RunningAgent> {
  const { root, env: paths } = await newContainer();
  await prepare(root);
  const put = async (folder: string, files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, folder, name)), { recursive: true });
      await writeFile(join(root, folder, name), text);
    }
  };
  await mkdir(join(root, 'bot'), { recursive: true });
  await put('bot', code);
  await put('kinds', manifests);
  const store = join(root, 'store');
  const all = {
    BOT_ID: 'an-agent',
    BOT_TYPE: 'realtime',
    STORE_URL: `file://${store}`,
    KINDS_PATH: join(root, 'kinds'),
    ALLOW_EXPERIMENTAL: 'true',
    AGENT_TOKEN: TOKEN,
    LOG_LEVEL: 'warn',
    ...paths,
    ...env,
  };
  const start = async (): Promise<RunningAgent> => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const life = { ...all, QUERY_PORT: String(port) };
    const runtime = startRuntime(['execute'], life);
    const client = protocolClient(`${url}/_runtime/agent`, TOKEN);
    return { runtime, client, url, store, root, env: life, again: start };
  };
  return await start();
}

/** The turns in the usage that was shipped to a file store, in its order. */
export async function shippedIds(store: string, bot = 'an-agent'): Promise<readonly string[]> {
  const folder = join(store, 'bot-logs/usage', bot);
  const days = (await readdir(folder)).filter((name) => /^\d{8}\.ndjson$/.test(name)).sort();
  const texts = await Promise.all(days.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = texts.join('').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
}
