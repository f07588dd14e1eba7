import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acpLink } from '../../../../src/agent/links/acp/acpLink.ts';
import type { TurnEnd, TurnEvent } from '../../../../src/agent/links/agentLink.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { AgentSpec } from '../../../../src/bot/kinds/agentSpec.ts';
import { never, openAcp, patient, replyOf, sdkAgent, spec } from '../../../support/agent/openAcp.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

describe('an agent that is written with the SDK', () => {
  test('describes itself and streams a turn', async () => {
    const { link, say } = openAcp([sdkAgent, '--images']);
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
    const { link, say } = openAcp([sdkAgent]);
    await link.ready(never);
    await Promise.all([say('one', { conversation: 'a' }), say('two', { conversation: 'b' })]);
    expect((await say('history', { conversation: 'a' })).reply).toBe('one|history');
    expect((await say('history', { conversation: 'b' })).reply).toBe('two|history');
  });

  test('takes a conversation of an earlier process up again, and what is told outside of a turn is dropped', async () => {
    const state = join(await temporaryDirectory(), 'sessions');
    const first = openAcp([sdkAgent, '--state', state]);
    await first.link.ready(never);
    const { session } = (await first.say('remember me')).end;
    first.channel.child.kill('SIGKILL');
    const second = openAcp([sdkAgent, '--state', state]);
    await second.link.ready(never);
    expect((await second.say('history', { session })).reply).toBe('remember me|history');
    // Negative control: without its name the conversation begins anew.
    expect((await second.say('history', { conversation: 'other' })).reply).toBe('history');
  });

  test('whose conversation is lost begins it anew, with a warning', async () => {
    const { link, say, lines } = openAcp([sdkAgent]);
    await link.ready(never);
    expect((await say('history', { session: 'unknown' })).reply).toBe('history');
    expect(lines.join('')).toContain('the agent has lost a conversation');
  });

  test('that cannot resume is told so in its capabilities', async () => {
    const { link } = openAcp([sdkAgent, '--no-resume']);
    expect((await link.ready(never)).capabilities.conversations).toBe('process');
  });

  test('gets its last words in, and none that come much later', async () => {
    const slow = openAcp([sdkAgent], {}, 'life-1', patient);
    await slow.link.ready(never);
    expect((await slow.say('late')).reply).toBe('first and the last words');
    const { link, say } = openAcp([sdkAgent]);
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
      const { link, say } = openAcp([sdkAgent], { permissions });
      await link.ready(never);
      expect((await say('ask')).reply).toBe(answer);
    },
  );

  test('gets no files', async () => {
    const { link, say } = openAcp([sdkAgent]);
    await link.ready(never);
    expect((await say('read')).reply).toMatch(/^refused: .*fs\/read_text_file is not offered here/);
  });

  test('shows thoughts and tools', async () => {
    const { link, say } = openAcp([sdkAgent]);
    await link.ready(never);
    expect((await say('tool')).events).toEqual([
      { type: 'thought', text: 'hm' },
      { type: 'tool', id: 't1', name: 'Search', status: 'in_progress' },
      { type: 'tool', id: 't1', name: 'Search', status: 'completed' },
      { type: 'delta', text: 'found' },
    ]);
  });

  test('is cancelled', async () => {
    const { link, say } = openAcp([sdkAgent]);
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
    const first = openAcp([sdkAgent]);
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
    const { link, say } = openAcp([sdkAgent]);
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
    const { link, say } = openAcp([sdkAgent]);
    await link.ready(never);
    await expect(say(text)).rejects.toMatchObject(error);
  });

  test('that refuses in words has answered', async () => {
    const { link, say } = openAcp([sdkAgent]);
    await link.ready(never);
    expect(await say('refuse never!')).toMatchObject({ reply: 'never!', end: { stopReason: 'refusal' } });
  });
});

describe('usage', () => {
  const inputs = async (changes: Partial<AgentSpec>, times: number) => {
    const { link, say } = openAcp([sdkAgent], changes);
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
    const first = openAcp([sdkAgent, '--state', state], cumulative);
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
    const second = openAcp([sdkAgent, '--state', state], cumulative, 'life-2');
    await second.link.ready(never);
    expect((await second.say('x', { session })).end.usage?.tokens?.input).toBe(10);
  });
});
