import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acpLink } from '../../../../src/agent/links/acp/acpLink.ts';
import type { AgentLink, TurnEnd, TurnEvent } from '../../../../src/agent/links/agentLink.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { AgentSpec } from '../../../../src/bot/kinds/agentSpec.ts';
import { childChannel } from '../../../support/agent/childChannel.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const sdkAgent = join(import.meta.dirname, '../../../support/agent/sdkAgent.ts');
const spec: AgentSpec = {
  protocol: 'acp',
  usage: 'turn',
  resume: undefined,
  permissions: 'reject',
  openai: undefined,
};
const never = new AbortController().signal;
/** Ten seconds for what has one, however busy the machine is. */
const patient = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(10 * ms, signal),
};

interface Opened {
  readonly link: AgentLink;
  readonly lines: string[];
  readonly say: (text: string, more?: SayOptions) => Promise<Said>;
}

interface SayOptions {
  readonly conversation?: string;
  readonly session?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TurnEvent) => void;
}

interface Said {
  readonly end: TurnEnd;
  readonly events: TurnEvent[];
  readonly reply: string;
}

function open(
  argv: readonly string[],
  changes: Partial<AgentSpec> = {},
  instance = 'life-1',
  clock = systemClock,
): Opened & ReturnType<typeof childChannelOf> {
  const channel = childChannelOf(argv, instance);
  const { log, lines } = memoryLog();
  const link = acpLink({
    channel: channel.channel,
    clock,
    log,
    spec: { ...spec, ...changes },
    kind: 'my-kind',
    cwd: '/',
  });
  let turns = 0;
  const say: Opened['say'] = async (text, { conversation = 'c', session, signal = never, onEvent } = {}) => {
    const events: TurnEvent[] = [];
    turns += 1;
    const end = await link.send(
      { id: `msg_${turns}`, conversation, session, message: [{ type: 'text', text }], metadata: {} },
      (event) => {
        events.push(event);
        onEvent?.(event);
      },
      signal,
    );
    return { end, events, reply: replyOf(events) };
  };
  return { link, lines, say, ...channel };
}

function childChannelOf(argv: readonly string[], instance: string) {
  return { channel: childChannel(argv, instance) };
}

function replyOf(events: readonly TurnEvent[]): string {
  return events.map((event) => (event.type === 'delta' ? event.text : '')).join('');
}

/** An agent that answers `initialize` and `session/new` well, and does `code` with a prompt: `id` is its id, `out` writes a line. */
async function rogue(code: string): Promise<string[]> {
  const file = join(await temporaryDirectory(), 'rogue.cjs');
  await writeFile(
    file,
    `const out = (value) => process.stdout.write((typeof value === 'string' ? value : JSON.stringify({ jsonrpc: '2.0', ...value })) + '\\n');
const say = (text) => out({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } } } });
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') out({ id, result: { protocolVersion: 1 } });
  if (method === 'session/new') out({ id, result: { sessionId: 's' } });
  if (method === 'session/prompt') { ${code} }
});`,
  );
  return [file];
}

describe('an agent that is written with the SDK', () => {
  test('describes itself and streams a turn', async () => {
    const { link, say } = open([sdkAgent, '--images']);
    expect(await link.ready(never)).toEqual({
      agent: { name: 'stand-in', version: '1.2.3' },
      capabilities: {
        streaming: true,
        cancel: true,
        conversations: 'persistent',
        usage: 'reported',
        attachments: ['text', 'image'],
      },
    });
    const { end, reply } = await say('hello there');
    expect(reply).toBe('you said hello there');
    expect(end).toEqual({
      stopReason: 'end',
      session: '{"id":"session-1","instance":"life-1"}',
      usage: { tokens: { input: 10, output: 4, cacheRead: 3, cacheWrite: 0, reasoning: 0, total: 14 } },
    });
  });

  test('keeps conversations apart, and each together', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    await Promise.all([say('one', { conversation: 'a' }), say('two', { conversation: 'b' })]);
    expect((await say('history', { conversation: 'a' })).reply).toBe('one|history');
    expect((await say('history', { conversation: 'b' })).reply).toBe('two|history');
  });

  test('takes a conversation of an earlier process up again, and what is told outside of a turn is dropped', async () => {
    const state = join(await temporaryDirectory(), 'sessions');
    const first = open([sdkAgent, '--state', state]);
    await first.link.ready(never);
    const { session } = (await first.say('remember me')).end;
    first.channel.child.kill('SIGKILL');
    const second = open([sdkAgent, '--state', state]);
    await second.link.ready(never);
    expect((await second.say('history', { session })).reply).toBe('remember me|history');
    // Negative control: without its name the conversation begins anew.
    expect((await second.say('history', { conversation: 'other' })).reply).toBe('history');
  });

  test('whose conversation is lost begins it anew, with a warning', async () => {
    const { link, say, lines } = open([sdkAgent]);
    await link.ready(never);
    expect((await say('history', { session: 'unknown' })).reply).toBe('history');
    expect(lines.join('')).toContain('the agent has lost a conversation');
  });

  test('that cannot resume is told so in its capabilities', async () => {
    const { link } = open([sdkAgent, '--no-resume']);
    expect((await link.ready(never)).capabilities.conversations).toBe('process');
  });

  test('gets its last words in, and none that come much later', async () => {
    const slow = open([sdkAgent], {}, 'life-1', patient);
    await slow.link.ready(never);
    expect((await slow.say('late')).reply).toBe('first and the last words');
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    const { events } = await say('after');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(replyOf(events)).toBe('in time');
  });

  test.each([
    ['reject', 'no'],
    ['allow', 'yes'],
  ] as const)(
    'that asks whether it may is answered once, as the manifest says: %s',
    async (permissions, answer) => {
      const { link, say } = open([sdkAgent], { permissions });
      await link.ready(never);
      expect((await say('ask')).reply).toBe(answer);
    },
  );

  test('gets no files', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    expect((await say('read')).reply).toMatch(/^refused: .*fs\/read_text_file is not offered here/);
  });

  test('shows thoughts and tools', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    expect((await say('tool')).events).toEqual([
      { type: 'thought', text: 'hm' },
      { type: 'tool', id: 't1', name: 'Search', status: 'in_progress' },
      { type: 'tool', id: 't1', name: 'Search', status: 'completed' },
      { type: 'delta', text: 'found' },
    ]);
  });

  test('is cancelled', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    const stop = new AbortController();
    const { end, reply } = await say('hang', {
      signal: stop.signal,
      onEvent: () => stop.abort(new Error('no more')),
    });
    expect(end.stopReason).toBe('cancelled');
    expect(reply).toBe('begun');
    expect((await say('and now')).reply).toBe('you said and now');
  });

  test('is told to cancel what a query server that has died had asked', async () => {
    const first = open([sdkAgent]);
    await first.link.ready(never);
    const begun = Promise.withResolvers<void>();
    void first.say('count', { onEvent: () => begun.resolve() }).catch(() => undefined);
    await begun.promise;
    // Its listener is replaced: what the agent says is heard by another one, which knows of no session.
    const { log } = memoryLog();
    const link = acpLink({ channel: first.channel, clock: systemClock, log, spec, kind: 'k', cwd: '/' });
    await link.ready(never);
    const turn = {
      id: 'msg_9',
      conversation: 'other',
      session: undefined,
      message: [{ type: 'text', text: 'cancelled' }] as const,
      metadata: {},
    };
    const events: TurnEvent[] = [];
    await expect
      .poll(
        async () => {
          events.length = 0;
          await link.send(turn, (event) => events.push(event), never);
          return replyOf(events);
        },
        { timeout: 30_000 },
      )
      .toBe('session-1');
  });

  test('that does not hear the cancellation is left to itself, and other conversations go on', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    const stop = new AbortController();
    const deaf = say('deaf', { signal: stop.signal });
    await say('x', { conversation: 'other' });
    stop.abort(new Error('no more'));
    await expect(deaf).rejects.toThrow('no more');
    expect((await say('y', { conversation: 'other' })).reply).toBe('you said y');
  });

  test.each([
    ['refuse', { code: 'agent_refused', message: 'the agent refused without a word' }],
    ['fail', { code: 'agent_failed', message: expect.stringContaining('out of credit') }],
    ['die', { code: 'agent_died', message: 'the agent ended (SIGKILL)' }],
  ])('fails a turn: %s', async (text, error) => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    await expect(say(text)).rejects.toMatchObject(error);
  });

  test('that refuses in words has answered', async () => {
    const { link, say } = open([sdkAgent]);
    await link.ready(never);
    expect(await say('refuse never!')).toMatchObject({ reply: 'never!', end: { stopReason: 'refusal' } });
  });
});

describe('usage', () => {
  const inputs = async (changes: Partial<AgentSpec>, times: number) => {
    const { link, say } = open([sdkAgent], changes);
    await link.ready(never);
    const ends: TurnEnd[] = [];
    for (let i = 0; i < times; i++) ends.push((await say('x', { session: ends.at(-1)?.session })).end);
    return ends.map(({ usage }) => usage?.tokens?.input);
  };

  test('that adds up is turned into differences, and is left alone where it does not', async () => {
    expect(await inputs({ usage: 'cumulative' }, 3)).toEqual([10, 10, 10]);
    expect(await inputs({ usage: 'turn' }, 3)).toEqual([10, 20, 30]);
    expect(await inputs({ usage: 'none' }, 1)).toEqual([undefined]);
  });

  test('goes on where it was with a new link to the same life of the process, and begins anew with another life', async () => {
    const state = join(await temporaryDirectory(), 'sessions');
    const cumulative = { usage: 'cumulative' } as const;
    const first = open([sdkAgent, '--state', state], cumulative);
    await first.link.ready(never);
    await first.say('x');
    const { session } = (await first.say('x')).end;
    // The query server has died, the process has not: its listener is replaced.
    const { log } = memoryLog();
    const link = acpLink({
      channel: first.channel,
      clock: systemClock,
      log,
      spec: { ...spec, ...cumulative },
      kind: 'k',
      cwd: '/',
    });
    await link.ready(never);
    const turn = {
      id: 'msg_9',
      conversation: 'c',
      session,
      message: [{ type: 'text', text: 'x' }] as const,
      metadata: {},
    };
    expect((await link.send(turn, () => undefined, never)).usage?.tokens?.input).toBe(10);
    const second = open([sdkAgent, '--state', state], cumulative, 'life-2');
    await second.link.ready(never);
    expect((await second.say('x', { session })).end.usage?.tokens?.input).toBe(10);
  });
});

describe('an agent that means no good', () => {
  const ask = async (code: string) => {
    const opened = open(await rogue(code));
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
    const { link, say } = open(await rogue(late), {}, 'life-1', patient);
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
    const [file = ''] = await rogue('');
    const { link } = open([
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
    const { link, say } = open([file]);
    await link.ready(never);
    expect((await say('x', { session: 'old' })).end).toMatchObject({
      stopReason: 'end',
      session: '{"id":"new","instance":"life-1"}',
    });
  });
});
