import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChatServer, startChatServer } from '../support/agent/chatServer.ts';
import { driveAgent } from '../support/agent/driveAgent.ts';
import { type AgentCase, runAgent, shippedIds } from '../support/agent/runAgent.ts';

/*
 * Agents that other people make, as they come, without a network: `scripts/agents test` installs them, and runs this where there is
 * nothing but loopback. The model that they ask is ours.
 */

const kinds = join(import.meta.dirname, '../../kinds');
let model: ChatServer;

beforeAll(async () => {
  model = await startChatServer({
    // Whatever an agent adds around a message, these words are in it; all of the conversation, once each.
    answer: ({ body }) => {
      const said = body.messages
        .filter(({ role }) => role === 'user')
        .map(({ content }) => JSON.stringify(content));
      const words = said.flatMap((text) => [...text.matchAll(/\bsay (\w+)/g)].map(([, word]) => word ?? ''));
      return ['I heard', ...[...new Set(words)].map((word) => ` ${word}`)];
    },
  });
});
afterAll(() => model.close());

/** A kind of this repository, whose program is in the folder of `program`. */
async function shipped(
  kind: string,
  program: string | undefined,
  code: Record<string, string>,
): Promise<AgentCase> {
  const files = ['.yaml', '.lock'].map((end) => `${kind}${end}`);
  const texts = await Promise.all(files.map((name) => readFile(join(kinds, name), 'utf8')));
  const script = `${kind.replace('-api', '')}/start.sh`;
  return {
    code,
    manifests: {
      ...Object.fromEntries(files.map((name, index) => [name, texts[index] ?? ''])),
      [script]: await readFile(join(kinds, script), 'utf8'),
    },
    env: {
      RUNTIME: kind,
      PATH: [dirname(program ?? '/'), process.env.PATH].join(delimiter),
      START_TIMEOUT: '180s',
      STOP_TIMEOUT: '60s',
    },
  };
}

const hermes = () => ({
  'hermes.yaml': JSON.stringify({
    model: {
      provider: 'custom',
      default: 'fake-1',
      base_url: `http://127.0.0.1:${model.port}/v1`,
      api_key: 'none',
      api_mode: 'chat_completions',
    },
  }),
});

const openclaw = () => ({
  'openclaw.json': JSON.stringify({
    gateway: {
      mode: 'local',
      bind: 'loopback',
      auth: { mode: 'token' },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    models: {
      mode: 'replace',
      providers: {
        fake: {
          baseUrl: `http://127.0.0.1:${model.port}/v1`,
          apiKey: 'none',
          api: 'openai-completions',
          models: [
            {
              id: 'fake-1',
              name: 'fake',
              contextWindow: 128_000,
              maxTokens: 4096,
              input: ['text'],
              reasoning: false,
              cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            },
          ],
        },
      },
    },
    agents: { defaults: { model: { primary: 'fake/fake-1' } } },
  }),
});

const { RUNTIME_AGENT_HERMES, RUNTIME_AGENT_OPENCLAW } = process.env;

for (const [kind, program, code] of [
  ['hermes', RUNTIME_AGENT_HERMES, hermes],
  ['hermes-api', RUNTIME_AGENT_HERMES, hermes],
  ['openclaw', RUNTIME_AGENT_OPENCLAW, openclaw],
] as const) {
  test.skipIf(!program)(`${kind} is driven like every other agent`, { timeout: 600_000 }, async () => {
    const { runtime, client, store, root } = await runAgent(await shipped(kind, program, code()));
    const ids = await driveAgent(client).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${runtime.stderr().slice(-6000)}`, { cause: error });
    });
    runtime.child.kill('SIGTERM');
    const { stderr } = await runtime.finished;
    const record = JSON.parse(await readFile(join(root, 'the0/exit.json'), 'utf8')) as object;
    expect(record, stderr.slice(-4000)).toMatchObject({ stateSaved: true, logsSaved: true });
    // Each turn was shipped, once.
    expect(await shippedIds(store)).toEqual(ids);
  });
}
