import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { never, openAcp, patient, rogueAcp } from '../../../support/agent/openAcp.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

describe('an agent that means no good', () => {
  const ask = async (code: string) => {
    const opened = openAcp(await rogueAcp(code));
    await opened.link.ready(never);
    return { ...opened, asking: opened.say('x') };
  };

  test('floods stdout with what is no ACP: it is dropped, with few warnings', async () => {
    const { asking, lines } = await ask(
      `for (let i = 0; i < 50_000; i++) out('noise ' + i); out('{"not": "rpc"}'); say('ok'); out({ id, result: { stopReason: 'end_turn' } });`,
    );
    expect((await asking).reply).toBe('ok');
    const warnings = lines.filter((line) => line.includes('what is not ACP'));
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.length).toBeLessThan(20);
  });

  test('answers twice, and what nobody asked', async () => {
    const { asking, say } = await ask(
      `say('a'); out({ id: 1, result: {} }); out({ id, result: { stopReason: 'end_turn' } }); out({ id, result: { stopReason: 'refusal' } });`,
    );
    expect((await asking).end.stopReason).toBe('end');
    expect((await say('y')).end.stopReason).toBe('end');
  });

  test('that has ids in 32 bits with a sign, as many do, can tell ours apart', async () => {
    const { asking, say } = await ask("say(String(id)); out({ id, result: { stopReason: 'end_turn' } });");
    const ids = [Number((await asking).reply), Number((await say('y')).reply)];
    expect(ids.every((id) => id > 0 && (id | 0) === id)).toBe(true);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test.each([
    [
      'a byte order mark',
      `process.stdout.write('\\ufeff'); say('ok'); out({ id, result: { stopReason: 'end_turn' } });`,
    ],
    [
      'CR LF',
      `process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: { stopReason: 'end_turn' } }) + '\\r\\n'); say('ok');`,
    ],
    [
      'a batch',
      `const rpc = (rest) => ({ jsonrpc: '2.0', ...rest }); out(JSON.stringify([rpc({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'ok' } } } }), rpc({ id, result: { stopReason: 'end_turn' } })]));`,
    ],
    [
      'an id that has become a text',
      `say('ok'); out({ id: String(id), result: { stopReason: 'end_turn' } });`,
    ],
    [
      'an embedded text',
      `out({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'resource', resource: { uri: 'file:///a', text: 'ok' } } } } }); out({ id, result: { stopReason: 'end_turn' } });`,
    ],
    [
      'a link',
      `out({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'resource_link', name: 'a', uri: 'ok' } } } }); out({ id, result: { stopReason: 'end_turn' } });`,
    ],
  ])('whose answer has %s is understood', async (_, code) => {
    const { asking } = await ask(code);
    expect(await asking).toMatchObject({ reply: 'ok', end: { stopReason: 'end' } });
  });

  test('who answers before the first word is waited for', async () => {
    const late = "out({ id, result: { stopReason: 'end_turn' } }); setTimeout(() => say('ok'), 200);";
    const { link, say } = openAcp(await rogueAcp(late), {}, 'life-1', patient);
    await link.ready(never);
    expect(await say('x')).toMatchObject({ reply: 'ok', end: { stopReason: 'end' } });
  });

  test.each([
    [
      'without an id',
      `out({ id: null, error: { code: -32700, message: 'Parse error', data: 'invalid type' } });`,
      'Parse error: invalid type',
    ],
    [
      'that has lost its id',
      `out({ error: { code: -32600, message: 'Invalid Request' } });`,
      'Invalid Request',
    ],
    ['that is a text', `out({ id, error: 'boom' });`, 'boom'],
  ])('whose error is one %s fails the turn', async (_, code, message) => {
    const { asking } = await ask(code);
    await expect(asking).rejects.toMatchObject({ code: 'agent_failed', message });
  });

  test('sends a line of 100 MB as its answer', async () => {
    const before = process.memoryUsage().rss;
    const { asking } = await ask(
      `process.stdout.write('{"jsonrpc":"2.0","id":' + id + ',"result":{"stopReason":"end_turn","x":"'); const x = 'x'.repeat(1024 * 1024);
       let n = 0; const more = () => { while (n++ < 100) if (!process.stdout.write(x)) return process.stdout.once('drain', more); out('"}}'); }; more();`,
    );
    await expect(asking).rejects.toMatchObject({
      code: 'agent_failed',
      message: expect.stringContaining('16 MiB'),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });

  test('sends an update of 20 MB: that is lost, the turn is not', async () => {
    const { asking, lines } = await ask(
      `say('x'.repeat(20 * 1024 * 1024)); say('kept'); out({ id, result: { stopReason: 'end_turn' } });`,
    );
    expect((await asking).reply).toBe('kept');
    expect(lines.join('')).toContain('longer than 16 MiB');
  });

  test.each([
    ['{ inputTokens: -5, outputTokens: 3 }', undefined],
    ['{ inputTokens: 1e300, outputTokens: 3 }', undefined],
    ['{ inputTokens: "7", outputTokens: 3 }', undefined],
    ['{ inputTokens: null, outputTokens: NaN }', undefined],
    ['[1, 2]', undefined],
    [
      '{ inputTokens: 7.9, outputTokens: 3, totalTokens: -1, thoughtTokens: 1e13 }',
      { input: 7, output: 3, total: 10, reasoning: 0 },
    ],
  ])('says of its usage: %s', async (usage, tokens) => {
    const { asking } = await ask(`out({ id, result: { stopReason: 'end_turn', usage: ${usage} } });`);
    const { end } = await asking;
    if (tokens === undefined) expect(end.usage).toBeUndefined();
    else expect(end.usage?.tokens).toMatchObject(tokens);
  });

  test('dies in the middle of a turn: it is named by how it ended', async () => {
    const { asking } = await ask(
      `say('half'); process.stdin.destroy(); process.stdout.end(); setTimeout(() => process.exit(3), 200);`,
    );
    await expect(asking).rejects.toMatchObject({ code: 'agent_died', message: 'the agent ended (3)' });
  });

  test('speaks another version', async () => {
    const [file = ''] = await rogueAcp('');
    const { link } = openAcp([
      '-e',
      `require('fs'); eval(require('fs').readFileSync(${JSON.stringify(file)}, 'utf8').replace('protocolVersion: 1', 'protocolVersion: 2'))`,
    ]);
    await expect(link.ready(never)).rejects.toMatchObject({ message: 'the agent speaks ACP 2, and not 1' });
  });

  test('begins another session than the one that was to be resumed', async () => {
    const file = join(await temporaryDirectory(), 'agent.cjs');
    await writeFile(
      file,
      `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method, params } = JSON.parse(line);
        const result = {
          initialize: { protocolVersion: 1, agentCapabilities: { sessionCapabilities: { resume: {} } } },
          'session/resume': { _meta: { hermes: { sessionProvenance: { acpSessionId: 'another' } } } },
          'session/new': { sessionId: 'new' },
          'session/prompt': { stopReason: params?.sessionId === 'new' ? 'end_turn' : 'refusal' },
        }[method];
        if (result) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });`,
    );
    const { link, say } = openAcp([file]);
    await link.ready(never);
    expect((await say('x', { session: 'old' })).end).toMatchObject({
      stopReason: 'end',
      session: '{"id":"new","instance":"life-1"}',
    });
  });
});
