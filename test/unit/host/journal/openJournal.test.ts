import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../../../src/host/journal/openJournal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (bot: string, message = 'm') => ({ bot, type: 'started', message, facts: {} }) as const;
const open = () => openJournal(folder, () => 1_000);

describe('the journal', () => {
  it('is there again after the host, and numbers go on', async () => {
    const first = open();
    first.write(event('a'));
    first.write(event('b'));
    // Not closed: the host was killed.
    const second = open();
    second.write(event('a'));
    expect((await second.read({})).map(({ id, bot }) => [id, bot])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
    ]);
  });

  it('tells the newest of one bot, and what came after', async () => {
    const journal = open();
    for (let i = 0; i < 10; i++) journal.write(event(i % 2 === 0 ? 'even' : 'odd'));
    expect((await journal.read({ bot: 'odd', limit: 2 })).map(({ id }) => id)).toEqual([8, 10]);
    expect((await journal.read({ afterId: 8 })).map(({ id }) => id)).toEqual([9, 10]);
  });

  it('leaves a line out that a crash has cut', async () => {
    open().write(event('a'));
    appendFileSync(join(folder, readdirSync(folder)[0]!), '{"id": 2, "bo');
    expect((await open().read({})).map(({ id }) => id)).toEqual([1]);
  });

  it('keeps 64 MiB', async () => {
    const journal = open();
    const long = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 80; i++) journal.write(event('a', long));
    expect(readdirSync(folder).length).toBeLessThanOrEqual(8);
    const ids = (await journal.read({ limit: 100 })).map(({ id }) => id);
    expect(ids.at(-1)).toBe(80);
    expect(ids[0]).toBeGreaterThan(1);
  });

  it('tells whoever listens', () => {
    const journal = open();
    const heard: string[] = [];
    const end = journal.subscribe(({ bot }) => heard.push(bot!));
    journal.write(event('a'));
    end();
    journal.write(event('b'));
    expect(heard).toEqual(['a']);
  });
});
