import { describe, expect, it } from 'vitest';
import { documentToEntry } from '../../../../../src/host/sources/the0/document.ts';
import { applyEvent, type BotCollection, readEvent } from '../../../../../src/host/sources/the0/event.ts';

const now = Date.parse('2026-06-01T00:00:30Z');
const defaults = { memoryMiB: 512, cpuShares: 512 };
const custom = {
  version: '1.2.0',
  filePath: 'sma/1.2.0/code.zip',
  config: {
    name: 'sma',
    runtime: 'python3.11',
    type: 'realtime',
    entrypoints: { bot: 'main.py', query: 'query.py' },
  },
};
const document = {
  id: 'c1',
  segment_id: 3,
  config: { name: 'mine', type: 'realtime/sma', symbol: 'BTC' },
  custom,
};

const entry = (changes: object, type: 'realtime' | 'scheduled' = 'realtime') =>
  documentToEntry({ ...document, ...changes }, type, defaults, now)!.entry;

describe("the0's documents", () => {
  it('are bots', () => {
    expect(entry({})).toMatchObject({
      spec: {
        name: 'c1',
        type: 'realtime',
        runtime: 'python3.11',
        code: { file: 'sma/1.2.0/code.zip' },
        entrypoints: { bot: 'main.py', query: 'query.py' },
        config: JSON.stringify(document.config),
        enabled: true,
        resources: { memoryBytes: 512 * 2 ** 20, cpuMillis: 500 },
        restart: { policy: 'always' },
      },
    });
  });

  it('have a schedule where they are scheduled', () => {
    const made = { ...custom, config: { ...custom.config, type: 'scheduled' } };
    const config = { ...document.config, schedule: '0 9 * * *' };
    expect(entry({ custom: made, config }, 'scheduled')).toMatchObject({
      spec: { schedule: { cron: '0 9 * * *' } },
    });
    expect(entry({ custom: made }, 'scheduled')).toHaveProperty('problems');
    expect(entry({ custom: made, config: { schedule: '0 0 30 2 *' } }, 'scheduled')).toHaveProperty(
      'problems',
    );
  });

  it.each([
    [{ enabled: false }, false],
    [{ config: { enabled: false } }, false],
    [{ config: { enabled: 'false' } }, false],
    [{ config: { enabled: '0' } }, false],
    [{ config: { enabled: 0 } }, false],
    [{ enabled: true, config: { enabled: false } }, false],
    [{ config: { enabled: 'no' } }, true],
    [{ config: { enabled: null } }, true],
    [{ config: {} }, true],
  ])('%j is enabled: %s', (changes, enabled) => {
    expect(entry(changes)).toMatchObject({ spec: { enabled } });
  });

  it.each([
    [{ custom: undefined }],
    [{ custom: { ...custom, filePath: '../etc' } }],
    [{ custom: { ...custom, config: { ...custom.config, runtime: undefined } } }],
    [{ custom: { ...custom, config: { ...custom.config, type: 'scheduled' } } }],
    [{ config: { memory_limit: 'lots' } }],
  ])('%j is a condition of that bot', (changes) => {
    expect(entry(changes)).toHaveProperty('problems');
  });

  it('whose config is none are not run without it', () => {
    for (const config of ['symbol: BTC/USD', 7, ['a']])
      expect(entry({ config })).toMatchObject({ problems: ['config: expected an object'] });
    for (const config of [undefined, null])
      expect(entry({ config })).toMatchObject({ spec: { config: '{}' } });
  });

  it('without an id are nobody', () => {
    expect(documentToEntry({ config: {} }, 'realtime', defaults, now)).toBeUndefined();
    expect(documentToEntry(null, 'realtime', defaults, now)).toBeUndefined();
  });
});

/** A collection in memory. */
function collection(): BotCollection & { readonly documents: Map<string, Record<string, unknown>> } {
  const documents = new Map<string, Record<string, unknown>>();
  return {
    documents,
    findOne: async ({ id }) => documents.get(id) ?? null,
    insertOne: async (one) => documents.set(one.id as string, one),
    updateOne: async ({ id }, { $set }) => documents.set(id, { ...documents.get(id), ...$set }),
    deleteOne: async ({ id }) => documents.delete(id),
  };
}

describe("the0's events", () => {
  const message = (body: object) =>
    JSON.stringify({ id: 'c1', config: { schedule: '0 * * * *' }, custom, ...body });
  const apply = async (into: BotCollection, subject: string, text: string) => {
    const change = readEvent(subject, text);
    if (typeof change === 'string') throw new Error(change);
    await applyEvent(change, into, now);
  };

  it('are written as the0 writes them, and again without harm', async () => {
    const into = collection();
    for (let i = 0; i < 2; i++) await apply(into, 'the0.bot-schedule.created', message({}));
    expect(into.documents.get('c1')).toMatchObject({
      id: 'c1',
      next_execution_time: Date.UTC(2026, 5, 1, 1) / 1000,
    });
    for (let i = 0; i < 2; i++)
      await apply(into, 'the0.bot-schedule.updated', message({ config: { schedule: '30 * * * *' } }));
    expect(into.documents.get('c1')).toMatchObject({
      next_execution_time: Date.UTC(2026, 5, 1, 0, 30) / 1000,
    });
    for (let i = 0; i < 2; i++) await apply(into, 'the0.bot-schedule.deleted', '{"id":"c1","config":{}}');
    expect(into.documents.size).toBe(0);
  });

  it('of a bot that is not known make it', async () => {
    const into = collection();
    await apply(into, 'the0.bot.updated', message({}));
    expect(into.documents.get('c1')).toMatchObject({ custom });
  });

  it('may come wrapped', () => {
    const wrapped = { type: 'x', entity_id: 'c1', data: { id: 'c1', config: {}, custom }, timestamp: '' };
    expect(readEvent('the0.bot.created', JSON.stringify(wrapped))).toMatchObject({
      id: 'c1',
      verb: 'created',
    });
  });

  it.each([
    ['the0.bot.created', '{'],
    ['the0.bot.created', '{"id": 1}'],
    ['the0.bot.created', '{"id":"a","config":{}}'],
    ['the0.bot-schedule.created', '{"id":"a","config":{"schedule":""},"custom":{}}'],
    ['the0.bot.renamed', '{"id":"a"}'],
  ])('%s %s is not an event', (subject, text) => {
    expect(readEvent(subject, text)).toBeTypeOf('string');
  });
});
