import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import type { RealHost } from './realHost.ts';

const root = join(import.meta.dirname, '../../..');
const runtime = join(root, 'dist/runtime');
const execute = promisify(execFile);
/** Opens all bots of the host: RUNTIME_QUERY_TOKEN. */
export const HOST_TOKEN = 'opens-all';

/** The example agent as files of a host's folder of bots. */
export const agentFiles = (name: string): Record<string, string> => ({
  [`${name}/bot.yaml`]: `name: ${name}
type: realtime
runtime: python3.11
entrypoints: {message: agent.py}
stop: {timeout: 10s}
`,
  [`${name}/agent.py`]: readFileSync(join(root, 'examples/python-agent/agent.py'), 'utf8'),
});

/**
 * An agent of a real host, spoken to through the host's gateway alone: listed, asked in a conversation, put into another container by
 * `replace`, and asked on in the same conversation. `enter` as in `realHost`.
 */
export async function speakThroughHost(
  host: RealHost,
  name: string,
  replace: () => Promise<unknown>,
  enter: readonly string[] = [],
): Promise<void> {
  const url = `http://127.0.0.1:${host.queryPort}`;
  const run = async (program: string, args: readonly string[], token: string) => {
    const [first = program, ...rest] = [...enter, program, ...args];
    const env = { PATH: process.env.PATH, RUNTIME_HOST_URL: url, AGENT_TOKEN: token };
    return (await execute(first, rest, { env, timeout: 60_000 })).stdout;
  };
  const ask = (text: string, token = HOST_TOKEN) => run(runtime, ['ask', name, text, '-c', 'monday'], token);
  const get = (path: string) =>
    run('curl', ['-sS', '-H', `Authorization: Bearer ${HOST_TOKEN}`, `${url}/v1/instances${path}`], '');
  const list = () => get('');
  /** One life of the agent's process. */
  const life = async () => (JSON.parse(await get(`/${name}/health`)) as { instance?: string }).instance;
  const isReady = () =>
    vi.waitFor(
      async () =>
        expect(JSON.parse(await list())).toEqual({
          instances: [{ id: name, kind: 'python3.11', status: 'ready' }],
        }),
      { timeout: 120_000, interval: 500 },
    );

  await isReady();
  expect(await ask('hello')).toBe('You said: hello\n');
  expect(await ask('again')).toBe('You said: again (that makes 2, the first was: hello)\n');
  await expect(ask('let me in', 'wrong')).rejects.toMatchObject({ code: 69 });

  const before = await life();
  expect(before).toMatch(/^ins_/);
  await replace();
  // The one that is to go is ready until it is told to.
  await vi.waitFor(
    async () => {
      const now = await life();
      expect(now).toMatch(/^ins_/);
      expect(now).not.toBe(before);
    },
    { timeout: 120_000, interval: 500 },
  );
  await isReady();
  expect(await ask('there?')).toBe('You said: there? (that makes 3, the first was: hello)\n');
}
