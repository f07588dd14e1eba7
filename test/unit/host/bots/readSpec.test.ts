import { describe, expect, it } from 'vitest';
import type { CodeRef } from '../../../../src/host/bots/botSpec.ts';
import { isAgent } from '../../../../src/host/bots/isAgent.ts';
import { type Draft, readSpec } from '../../../../src/host/bots/readSpec.ts';
import { writeSpec } from '../../../../src/host/bots/writeSpec.ts';
import { aSpec } from '../../../support/host/aSpec.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const least = `
name: momentum
type: realtime
runtime: python3.11
code: {file: sma/code.zip}
entrypoints: {bot: main.py}
`;

function draft(text: string): Draft {
  const read = readSpec(text, now);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read;
}

function problems(text: string): readonly string[] {
  const read = readSpec(text, now);
  return 'problems' in read ? read.problems : [];
}

describe("a bot's file", () => {
  it('has a default for everything but what only its author can know', () => {
    const { rest, code } = draft(least);
    expect({ ...rest, code }).toEqual(aSpec());
  });

  it('says what is wrong with its YAML in a few words, however much of it is', () => {
    const deep = problems(`name: a\nconfig: ${'['.repeat(20_000)}`);
    expect(deep.length).toBeGreaterThan(0);
    expect(deep.length).toBeLessThan(4);
    expect(problems('name: a\n---\nname: b\n')).toEqual([
      'Source contains multiple documents at line 2, column 1',
    ]);
  });

  it('is refused where a variable of it could be none: its containers would never start', () => {
    const long = 'é'.repeat(70_000);
    expect(problems(`${least}config: {prices: ${long}}`)).toEqual([expect.stringMatching(/^config: longer/)]);
    expect(problems(`${least}task: {prices: ${long}}`)).toEqual([expect.stringMatching(/^task: longer/)]);
    expect(problems(`${least}env: {PRICES: "1\\0"}`)).toEqual(['env.PRICES: has a zero byte in it']);
    const command = least.replace('main.py', `"${'漢'.repeat(60_000)}"`);
    expect(problems(command)).toEqual([expect.stringMatching(/^entrypoints.bot: longer/)]);
    // Negative control: as long, in bytes of which there are fewer; and a zero that JSON writes in letters.
    expect(problems(`${least}config: {prices: ${'e'.repeat(70_000)}}`)).toEqual([]);
    expect(problems(`${least}config: {a: "1\\0"}`)).toEqual([]);
  });

  it('is read in full', () => {
    const { rest } = draft(`
name: m
type: scheduled
runtime: nodejs20
code: {file: a/b.zip, sha256: ${'AB'.repeat(32)}}
entrypoints: {bot: main.js, query: query.js}
config: {symbol: BTC/USD}
schedule: {cron: "0 9 * * 1-5", timeZone: America/New_York, missed: all, within: 6h, overlap: queue, spread: 5m, deadline: 30m}
resources: {memory: 1Gi, cpu: 1.5, cpuLimit: true, pids: 64, disk: 10Gi}
restart: {policy: always, backoff: 2s..1m, reset: 5m}
stop: {timeout: 1m}
network: {egress: [203.0.113.0/24]}
secrets: [binance]
env: {TZ: UTC, LEVEL: 3}
labels: {team: alpha}
`);
    expect(rest).toMatchObject({
      schedule: {
        missed: 'all',
        withinMs: 21_600_000,
        overlap: 'queue',
        spreadMs: 300_000,
        deadlineMs: 1_800_000,
      },
      resources: { memoryBytes: 2 ** 30, cpuMillis: 1500, cpuLimit: true, pids: 64 },
      restart: { policy: 'always', firstMs: 2_000, longestMs: 60_000, resetMs: 300_000 },
      stopTimeoutMs: 60_000,
      egress: ['203.0.113.0/24'],
      env: { LEVEL: '3', TZ: 'UTC' },
    });
  });

  it('is equal however it is written', () => {
    expect(
      draft(JSON.stringify({ ...JSON.parse(writeSpec(aSpec())), env: { B: '2', A: '1' } })).rest,
    ).toEqual(draft(`${least}env: {A: "1", B: "2"}`).rest);
  });

  it('can be written from a specification', () => {
    for (const spec of [aSpec(), aSpec({ egress: ['10.0.0.0/8'], env: { A: '1' }, task: '{"name":"t"}' })]) {
      const { rest, code } = draft(writeSpec(spec));
      expect({ ...rest, code }).toEqual(spec);
    }
  });

  it.each([
    ['name: a/b', /name: expected/],
    ['shedule: {}', /shedule: unknown field/],
    ['resources: {memory: lots}', /resources.memory: expected a size/],
    ['env: {LD_PRELOAD: x}', /set by the runtime/],
    ['env: {MINIO_SECRET_KEY: x}', /set by the runtime/],
    ['network: {egress: everything}', /egress: expected/],
    ['secrets: ["../etc"]', /secrets.0: expected the name/],
    ['schedule: {cron: "0 0 * * *"}', /only for bots of type scheduled/],
    ['stop: {timeout: soon}', /stop.timeout: expected a duration/],
  ])('refuses %s', (line, expected) => {
    const [key = ''] = line.split(':');
    const text = least
      .split('\n')
      .filter((one) => !one.startsWith(`${key}:`))
      .join('\n');
    expect(problems(`${text}\n${line}\n`).join('\n')).toMatch(expected);
  });

  it.each([
    ['half a file', 'name: momentum\ntype: {', /./],
    ['nothing', '', /empty|not a mapping/],
    ['a list', '- a', /not a mapping/],
    [
      'a schedule that never comes',
      `${least.replace('realtime', 'scheduled')}schedule: {cron: "0 0 30 2 *"}`,
      /never comes/,
    ],
    ['a scheduled bot without a schedule', least.replace('realtime', 'scheduled'), /schedule.cron: missing/],
    ['too much', `${least}# ${'x'.repeat(300_000)}`, /longer than/],
    [
      'a multiplying file',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]`,
      /./,
    ],
  ])('says what is wrong with %s', (_, text, expected) => {
    expect(problems(text).join('\n')).toMatch(expected);
  });
});

describe('an agent’s file', () => {
  const agent = (text: string) =>
    `name: a\ntype: realtime\nruntime: python3.11\ncode: {file: a.zip}\n${text}`;

  it('names a program that answers messages, which is the bot as well', () => {
    const { rest, code } = draft(agent('entrypoints: {message: agent.py}'));
    expect(rest.entrypoints).toEqual({ bot: 'agent.py', query: undefined, message: 'agent.py' });
    expect(isAgent(rest)).toBe(true);
    const written = draft(writeSpec({ ...rest, code: code as CodeRef }));
    expect(written.rest).toEqual(rest);
  });

  it('names no program where its kind needs none', () => {
    const { rest, code } = draft(agent('agent: true'));
    expect(rest).toMatchObject({ agent: true, entrypoints: { bot: '' } });
    expect(isAgent(rest)).toBe(true);
    expect(draft(writeSpec({ ...rest, code: code as CodeRef })).rest).toEqual(rest);
    expect(isAgent(draft(least).rest)).toBe(false);
  });

  it.each([
    ['entrypoints: {}', 'entrypoints.bot: missing'],
    ['entrypoints: {query: q.py}', 'entrypoints.bot: missing'],
    ['entrypoints: {bot: main.py, message: agent.py}', 'entrypoints.message: '],
  ])('%s is refused', (text, problem) => {
    expect(problems(agent(text)).join()).toContain(problem);
  });

  it('is not for the schedule', () => {
    const scheduled = agent('entrypoints: {message: a.py}\nschedule: {cron: "0 9 * * *"}');
    expect(problems(scheduled.replace('realtime', 'scheduled')).join()).toContain(
      'an agent waits for messages',
    );
  });
});
