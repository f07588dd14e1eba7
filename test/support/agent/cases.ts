import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentCase } from './runAgent.ts';

const root = join(import.meta.dirname, '../../..');
const node = join(root, 'scripts/node');
const here = (name: string) => join(root, 'test/support/agent', name);

/** A manifest in one line of JSON, which is YAML as well. */
const manifest = (fields: object) =>
  JSON.stringify({ displayName: 'A stand-in', description: 'For tests.', ...fields });

/** One that speaks ACP, written with its SDK. */
export const acpStandIn: AgentCase = {
  manifests: {
    'acp.yaml': manifest({
      id: 'acp-stand-in',
      argv: [node, here('sdkAgent.ts'), '--state', '{state}/said.json'],
      agent: { protocol: 'acp', usage: 'cumulative' },
    }),
  },
  env: { RUNTIME: 'acp-stand-in' },
};

/** The same, and it says nothing of what it has used. */
export const silentStandIn: AgentCase = {
  manifests: {
    'acp.yaml': manifest({
      id: 'silent-stand-in',
      argv: [node, here('sdkAgent.ts'), '--state', '{state}/said.json'],
      agent: { protocol: 'acp', usage: 'none' },
    }),
  },
  env: { RUNTIME: 'silent-stand-in' },
};

/** One with an OpenAI endpoint. */
export const openAiStandIn: AgentCase = {
  manifests: {
    'openai.yaml': manifest({
      id: 'openai-stand-in',
      argv: [node, here('chatAgent.ts'), '{state}/said.json'],
      env: { PORT: '{port}' },
      agent: { protocol: 'openai', openai: { key: { env: 'KEY' }, conversation: { body: 'user' } } },
    }),
  },
  env: { RUNTIME: 'openai-stand-in' },
};

/** A handler of ours that says nothing of what it has used. */
export const pythonHandler: AgentCase = handler('python3.11', 'sayer.py');

/** One that does. */
export const nodeHandler: AgentCase = handler('nodejs20', 'sayer.cjs');

function handler(kind: string, file: string): AgentCase {
  return {
    code: { [file]: readFileSync(join(root, 'test/fixtures/agents', file), 'utf8') },
    env: { RUNTIME: kind, MESSAGE_ENTRYPOINT: file },
  };
}
