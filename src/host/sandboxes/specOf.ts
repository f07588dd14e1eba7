import type { BotSpec, CodeRef } from '../bots/botSpec.ts';
import type { SandboxRecord } from './record.ts';

/** The executable inside, where every image of ours has it and where it is mounted into others. */
const RUNTIME = '/usr/local/bin/runtime';
const STOP_MS = 30_000;

/** The bot that a sandbox is. `box`: the code of one that has none of its own. */
export function specOf(record: SandboxRecord, box: CodeRef): BotSpec {
  const { agent } = record;
  return {
    name: record.id,
    type: 'realtime',
    sandbox: { image: record.image },
    config: '{}',
    task: undefined,
    enabled: record.wanted === 'running',
    schedule: undefined,
    resources: record.resources,
    // Whatever ends its first process: a sandbox is there until somebody stops it.
    restart: { policy: 'always', firstMs: 500, longestMs: 60_000, resetMs: 600_000 },
    stopTimeoutMs: STOP_MS,
    egress: record.egress,
    secrets: [],
    labels: {},
    ...(agent === undefined
      ? {
          runtime: 'command',
          code: box,
          entrypoints: { bot: `exec ${RUNTIME} box`, query: undefined },
          env: record.env,
        }
      : {
          runtime: agent.runtime,
          code: agent.code === '' ? box : { file: agent.code, sha256: undefined },
          ...(agent.entrypoint === ''
            ? { agent: true as const, entrypoints: { bot: '', query: undefined } }
            : { entrypoints: { bot: agent.entrypoint, query: undefined, message: agent.entrypoint } }),
          env: { ...record.env, WRAP: JSON.stringify([RUNTIME, 'box', '--']) },
        }),
  };
}
