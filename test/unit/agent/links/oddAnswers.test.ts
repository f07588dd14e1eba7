import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readEvents } from '../../../../src/agent/links/openai/readEvents.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Asked } from '../../../support/agent/chatServer.ts';
import { never, openChat, stream } from '../../../support/agent/openChat.ts';

/*
 * How servers of chat completions answer that are not OpenAI's: docs/field-reports.md, "What agents answer".
 */

const said = (content: unknown, more: object = {}) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content }, ...more }] })}`;
const ended = (reason: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: reason }] })}`;
const DONE = 'data: [DONE]';

/** The bytes of an answer, as they are. */
const bytes =
  (type: string | undefined, ...pieces: (string | Buffer)[]) =>
  (_: Asked, response: ServerResponse) => {
    response.writeHead(200, type === undefined ? {} : { 'content-type': type });
    for (const piece of pieces) response.write(piece);
    response.end();
    return undefined;
  };

const reply = async (answer: (asked: Asked, response: ServerResponse) => undefined) =>
  await (await openChat({ answer })).say('x');

async function eventsOf(...pieces: readonly (string | Uint8Array)[]): Promise<unknown[]> {
  async function* body() {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  const events: unknown[] = [];
  for await (const event of readEvents(body())) events.push(event);
  return events;
}

describe('server-sent events', () => {
  const text = 'event: x\ndata: ü漢😀\ndata:2\n\n: alive\n\ndata:\n\nid: 7\n\nretry: 5\ndata: last\n\n';
  const expected = [
    { name: 'x', data: 'ü漢😀\n2' },
    { name: undefined, data: 'last' },
  ];

  test.each([
    ['LF', '\n'],
    ['CR LF', '\r\n'],
    ['CR', '\r'],
  ])('whose lines end in %s are read whole and byte by byte', async (_, end) => {
    const one = Buffer.from(`\ufeff${text.replaceAll('\n', end)}`);
    expect(await eventsOf(one)).toEqual(expected);
    expect(await eventsOf(...[...one].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('the last one may lack its empty line, and the end of its own', async () => {
    expect(await eventsOf('data: 1\n')).toEqual([{ name: undefined, data: '1' }]);
    expect(await eventsOf('data: 1\n\ndata', ': 2')).toEqual([
      { name: undefined, data: '1' },
      { name: undefined, data: '2' },
    ]);
  });
});

test.each([['Text/Event-Stream; Charset=UTF-8'], ['text/plain'], ['application/json'], [undefined]])(
  'a stream is one whatever its type: %s',
  async (type) => {
    const answer = bytes(type, '\n', `${said('a stream')}\n\n${ended('stop')}\n\n${DONE}\n\n`);
    expect(await reply(answer)).toMatchObject({ reply: 'a stream', end: { stopReason: 'end' } });
  },
);

test('so is a whole answer, with a byte order mark and without a reason', async () => {
  const whole = JSON.stringify({ choices: [{ message: { content: 'all' } }] }, null, 2);
  expect(await reply(bytes('text/event-stream', '\ufeff', whole))).toMatchObject({ reply: 'all' });
});

test.each([
  ['event: error\ndata: {"error":{"message":"too many"}}', 'too many'],
  ['event: error\ndata: {"type":"error","message":"flat"}', 'flat'],
  ['event: error\ndata: gone', 'gone'],
  ['data: {"error":{"code":502}}', '{"code":502}'],
  ['data: {"error":"words"}', 'words'],
  ['data: {"object":"error","message":"the engine is dead","code":500}', 'the engine is dead'],
  ['data: {"detail":"no room"}', 'no room'],
  [ended('error'), 'the agent broke its answer off ("error")'],
  [ended('ABORT'), 'the agent broke its answer off ("abort")'],
])('an answer that fails in its middle, and ends well, has failed: %s', async (event, message) => {
  await expect(reply(stream(said('half'), event, DONE))).rejects.toMatchObject({
    code: 'agent_failed',
    message,
  });
});

test.each([
  ['null', null],
  ['an empty text', ''],
  ['an empty object', {}],
])('an error that is %s is none', async (_, error) => {
  const chunk = JSON.stringify({ error, choices: [{ delta: { content: 'fine' } }] });
  expect((await reply(stream(`data: ${chunk}`, DONE))).reply).toBe('fine');
});

test.each([
  ['data: [DONE]'],
  ['data: null\n\ndata: {"choices":[]}\n\ndata: {"choices":null}\n\ndata: [DONE]'],
  ['{}'],
  ['{"message":{"content":"of another protocol"},"done":true}'],
])('an answer that holds no completion has failed: %s', async (text) => {
  await expect(reply(bytes('application/json', `${text}\n\n`))).rejects.toMatchObject({
    code: 'agent_failed',
    message: 'the agent answered with nothing',
  });
});

test('an empty reason in each piece is none: cut off, it is no whole answer', async () => {
  await expect(reply(stream(said('half', { finish_reason: '' })))).rejects.toMatchObject({
    message: "the agent's answer was cut off (it has no end)",
  });
  const whole = await reply(stream(said('all', { finish_reason: '' }), ended('LENGTH'), 'data: [DONE] '));
  expect(whole).toMatchObject({ reply: 'all', end: { stopReason: 'max_tokens' } });
});

test('content may be a list of parts; a refusal is said', async () => {
  const parts = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
    { type: 'reference', reference_ids: [1] },
    { type: 'text', text: 'yes' },
  ];
  expect((await reply(stream(said(parts), ended('stop'), DONE))).events).toEqual([
    { type: 'thought', text: 'hm' },
    { type: 'delta', text: 'yes' },
  ]);
  const refusal = 'data: {"choices":[{"delta":{"content":null,"refusal":"I will not"}}]}';
  expect(await reply(stream(refusal, ended('stop'), DONE))).toMatchObject({
    reply: 'I will not',
    end: { stopReason: 'refusal' },
  });
});

test('an agent that asks us for a tool and says nothing has not answered; what it has said counts', async () => {
  const call = (text: string) =>
    `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: text } }] } }] })}`;
  await expect(reply(stream(call('{"a'), call('":1}'), ended('tool_calls'), DONE))).rejects.toMatchObject({
    code: 'agent_failed',
    message: expect.stringContaining('asks for a tool'),
  });
  expect((await reply(stream(said('looking'), call('{}'), ended('tool_calls'), DONE))).reply).toBe('looking');
});

test('a zero after the figures is a place that was left empty', async () => {
  const used = (input: number, output: number) =>
    `data: {"choices":[],"usage":{"prompt_tokens":${input},"completion_tokens":${output}}}`;
  const { end } = await reply(stream(used(0, 0), said('x'), used(5, 1), used(5, 7), used(0, 0), DONE));
  expect(end.usage).toMatchObject({ tokens: { input: 5, output: 7, total: 12 } });
});

test('an answer that nobody can read without unpacking it is refused, and was not asked for', async () => {
  const { say, server } = await openChat({
    answer: (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('\x1f\x8b');
      return undefined;
    },
  });
  await expect(say('x')).rejects.toMatchObject({ message: "the agent's answer is packed (gzip)" });
  expect(server.asked[0]?.headers['accept-encoding']).toBe('identity');
});

/** A clock on which a minute is over soon. */
const hasty = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
};

test.each([
  ['[DONE]', [said('x'), DONE, said('late')]],
  ['a reason, and then comments for ever', [said('x'), ended('stop')]],
])('an answer whose connection stays open has ended with %s', async (_, lines) => {
  const { say, server } = await openChat(
    {
      answer: (__, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(lines.map((line) => `${line}\n\n`).join(''));
        const beat = setInterval(() => response.write(': alive\n\n'), 5);
        response.once('close', () => clearInterval(beat));
        return undefined;
      },
    },
    {},
    'turn',
    hasty,
  );
  expect(await say('x', never)).toMatchObject({ reply: 'x', end: { stopReason: 'end' } });
  await expect.poll(server.abandoned, { timeout: 30_000 }).toBe(1);
});
