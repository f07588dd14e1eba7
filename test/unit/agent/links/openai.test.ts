import { expect, test } from 'vitest';
import { readEvents } from '../../../../src/agent/links/openai/readEvents.ts';
import { never, openChat as open, stream } from '../../../support/agent/openChat.ts';

test('a turn is streamed, with its usage, its conversation in the body and its key in the head', async () => {
  const { link, say, server } = await open();
  expect(await link.ready(never)).toEqual({
    agent: { name: 'my-kind', version: 'unknown' },
    capabilities: {
      streaming: true,
      cancel: true,
      conversations: 'persistent',
      usage: 'reported',
      attachments: ['text'],
    },
  });
  const { events, end } = await say('hello');
  expect(events).toEqual([
    { type: 'delta', text: 'echo:' },
    { type: 'delta', text: ' hello' },
  ]);
  expect(end).toMatchObject({ stopReason: 'end', usage: { model: 'fake-1', tokens: { output: 2 } } });
  expect(server.asked[0]?.body).toEqual({
    model: 'my-model',
    messages: [{ role: 'user', content: 'hello' }],
    stream: true,
    stream_options: { include_usage: true },
    user: 'c-1',
  });
});

test('a conversation is named in a header where the manifest says so, and nowhere where it says nothing', async () => {
  const inHead = await open({}, { conversation: { header: 'x-session' } });
  await inHead.say('x');
  expect(inHead.server.asked[0]?.headers['x-session']).toBe('c-1');
  expect(inHead.server.asked[0]?.body).not.toHaveProperty('user');
  const none = await open({}, { conversation: undefined });
  expect((await none.link.ready(never)).capabilities.conversations).toBe('none');
});

test('it is ready once its health path says so, and checked by it', async () => {
  let status = 503;
  const { link } = await open({ health: () => status });
  expect(await link.check?.(never)).toBe(false);
  const ready = link.ready(never);
  setTimeout(() => {
    status = 200;
  }, 300);
  await ready;
  expect(await link.check?.(never)).toBe(true);
});

test('it is not waited for when it has died, nor when nobody waits any more', async () => {
  const { link, die } = await open({ health: () => 503 });
  const given = new AbortController();
  const waiting = link.ready(given.signal);
  given.abort(new Error('no more'));
  await expect(waiting).rejects.toThrow('no more');
  const ready = link.ready(never);
  die();
  await expect(ready).rejects.toMatchObject({ code: 'agent_died' });
});

test('thoughts, a whole answer in place of a stream, and reasons for the end', async () => {
  const { say } = await open({
    answer: (asked, response) => {
      if (JSON.stringify(asked.body).includes('whole')) {
        const message = { role: 'assistant', content: 'all at once' };
        response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            choices: [{ message, finish_reason: 'length' }],
            usage: { prompt_tokens: 1, completion_tokens: 2 },
          }),
        );
        return undefined;
      }
      return stream(
        ': comment',
        'event: agent.tool\ndata: {"tool":"x"}',
        'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}',
        'data: {"choices":[{"delta":\r\ndata: {"content":"said"},"finish_reason":"content_filter"}]}',
        'data: [DONE]',
      )(asked, response);
    },
  });
  expect(await say('whole')).toMatchObject({
    reply: 'all at once',
    end: { stopReason: 'max_tokens', usage: { tokens: { input: 1, output: 2, total: 3 } } },
  });
  expect(await say('x')).toMatchObject({
    events: [
      { type: 'thought', text: 'hm' },
      { type: 'delta', text: 'said' },
    ],
    end: { stopReason: 'refusal' },
  });
});

test.each([
  [429, 'agent_failed'],
  [500, 'agent_failed'],
  [401, 'agent_failed'],
  [404, 'agent_failed'],
  [502, 'agent_unreachable'],
  [503, 'agent_unreachable'],
])('an answer of %i fails the turn: %s', async (status, code) => {
  const { say } = await open({
    answer: (_, response) => {
      response.writeHead(status).end('{"error":{"message":"too much"}}');
      return undefined;
    },
  });
  await expect(say('x')).rejects.toMatchObject({ code, message: `the agent answered ${status}: too much` });
});

test.each([
  ['data: {"error":{"message":"model is gone"}}', 'model is gone'],
  ['data: {"choices":[{"delta":{"content":"half"}}]}', "the agent's answer was cut off (it has no end)"],
  ['data: {not json', expect.stringContaining('cut off')],
])('a stream that says %s fails the turn', async (line, message) => {
  const { say } = await open({ answer: stream(line) });
  await expect(say('x')).rejects.toMatchObject({ code: 'agent_failed', message });
});

test('a port that nobody listens on is unreachable; the end of the process says more', async () => {
  const away = await open();
  await away.server.close();
  await expect(away.say('x')).rejects.toMatchObject({ code: 'agent_unreachable' });
  const dead = await open({
    answer: (_, response) => {
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('data: {"choices":[{"delta":{"content":"half"}}]}\n\n');
      setTimeout(() => response.destroy(), 50);
      setTimeout(() => dead.die(), 200);
      return undefined;
    },
  });
  await expect(dead.say('x')).rejects.toMatchObject({ code: 'agent_died' });
});

test('cancelled, the request is closed', async () => {
  const { say, server } = await open({
    answer: (_, response) => {
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('data: {"choices":[{"delta":{"content":"half"}}]}\n\n');
      return undefined;
    },
  });
  const stop = new AbortController();
  const { end } = await say('x', stop.signal, () => stop.abort(new Error('no more')));
  expect(end).toEqual({ stopReason: 'cancelled' });
  await expect.poll(server.abandoned, { timeout: 30_000 }).toBe(1);
});

test('usage: nonsense is as if nothing was said; what adds up is turned into differences; what is not meant is left out', async () => {
  const usage = (input: unknown) =>
    stream(
      `data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":${JSON.stringify(input)},"completion_tokens":1}}`,
    );
  for (const input of [-1, 1e300, '5', null])
    expect((await (await open({ answer: usage(input) })).say('x')).end.usage).toBeUndefined();
  let input = 0;
  const growing = await open(
    {
      answer: (asked, response) => {
        input += 10;
        return usage(input)(asked, response);
      },
    },
    {},
    'cumulative',
  );
  expect((await growing.say('x')).end).toMatchObject({ usage: { tokens: { input: 10, output: 1 } } });
  expect((await growing.say('x')).end).toMatchObject({ usage: { tokens: { input: 10, output: 0 } } });
  input = 0;
  expect((await growing.say('x')).end).toMatchObject({ usage: { tokens: { input: 10 } } });
  expect((await (await open({ answer: usage(3) }, {}, 'none')).say('x')).end.usage).toBeUndefined();
});

test('an event without an end is refused once it is too long', async () => {
  async function* endless() {
    for (;;) yield Buffer.from('data: xxxxxxxxxxxxxxxx');
  }
  await expect(readEvents(endless(), 1000).next()).rejects.toThrow('more than 1000 bytes');
  async function* lines() {
    for (;;) yield Buffer.from('data: xxxxxxxxxxxxxxxx\n');
  }
  await expect(readEvents(lines(), 1000).next()).rejects.toThrow('more than 1000 bytes');
});
