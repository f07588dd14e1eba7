import { describe, expect, test } from 'vitest';
import { isAgent } from '../../../../src/host/bots/isAgent.ts';
import { newRecord } from '../../../../src/host/sandboxes/newRecord.ts';
import type { NewSandbox } from '../../../../src/host/sandboxes/sandboxes.ts';
import { specOf } from '../../../../src/host/sandboxes/specOf.ts';
import { aRequest } from '../../../support/serve/modelServer.ts';

const box = { file: 'box.tar', sha256: 'a'.repeat(64) };
const made = (agent: NewSandbox['agent']) =>
  specOf(newRecord(aRequest({ agent, env: { OWN: '1' } }), { id: 'sbx-1', digest: '', now: 0 }), box);

describe('the bot that a sandbox is', () => {
  test('has the box as its first process, and no messages, where it has no agent', () => {
    const spec = made(undefined);
    expect(spec).toMatchObject({ name: 'sbx-1', type: 'realtime', runtime: 'command', code: box });
    expect(spec.entrypoints.bot).toBe('exec /usr/local/bin/runtime box');
    expect(spec.env).toEqual({ OWN: '1' });
    expect(isAgent(spec)).toBe(false);
  });

  test('has the box around its agent where it has one, whose kind may bring all that it is', () => {
    const own = made({ runtime: 'python3.11', code: 'agents/one.zip', entrypoint: 'main.py' });
    expect(own).toMatchObject({ code: { file: 'agents/one.zip' }, entrypoints: { message: 'main.py' } });
    const kind = made({ runtime: 'hermes', code: '', entrypoint: '' });
    expect(kind).toMatchObject({ code: box, agent: true, entrypoints: { bot: '' } });
    for (const spec of [own, kind]) {
      expect(isAgent(spec)).toBe(true);
      expect(JSON.parse(spec.env.WRAP ?? '')).toEqual(['/usr/local/bin/runtime', 'box', '--']);
    }
  });
});
