import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../../../src/agent/turns/entry.ts';
import { type Journal, openJournal } from '../../../../src/agent/turns/journal.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const accepted = (id: string): Entry => ({
  t: 'accepted',
  id: `msg_${id}`,
  conversation: 'a',
  at: 1,
  bytes: 5,
});
const ended = (id: string, reply: string): Entry => ({
  t: 'ended',
  id: `msg_${id}`,
  status: 'completed',
  stopReason: 'end',
  reply,
  items: [['d', reply.length]],
  usage: null,
  startedAt: 1,
  endedAt: 2,
  firstTokenMs: null,
});

function opened(state: string): Journal {
  const journal = openJournal({ state, log: memoryLog().log });
  onTestFinished(() => journal.close());
  return journal;
}

const fileOf = (state: string) => join(state, '.agent/turns.ndjson');

test('what was written is read again, by the next one too, and after it was written anew', async () => {
  const state = await temporaryDirectory();
  const journal = opened(state);
  expect(journal.read()).toEqual([]);
  const entries = [accepted('1'), ended('1', 'hö'), accepted('2')];
  for (const entry of entries) journal.append(entry);
  expect(opened(state).read()).toEqual(entries);
  journal.rewrite(entries.slice(0, 2));
  journal.append(accepted('3'));
  expect(opened(state).read()).toEqual([...entries.slice(0, 2), accepted('3')]);
  expect(readdirSync(join(state, '.agent'))).toEqual(['turns.ndjson']);
});

test('a line that was cut short is left out, and the next one is whole', async () => {
  const state = await temporaryDirectory();
  opened(state).append(accepted('1'));
  appendFileSync(fileOf(state), JSON.stringify(accepted('2')).slice(0, 20));
  const journal = opened(state);
  expect(journal.read()).toEqual([accepted('1')]);
  journal.append(accepted('3'));
  expect(opened(state).read()).toEqual([accepted('1'), accepted('3')]);
});

test.each([
  ['no JSON', 'what is this'],
  ['an id of another form', JSON.stringify(accepted('../../etc'))],
  ['a status that there is not', JSON.stringify({ ...ended('1', 'x'), status: 'great' })],
  ['a reply that its pieces do not make', JSON.stringify({ ...ended('1', 'x'), items: [['d', 7]] })],
  ['amounts that are none', JSON.stringify({ ...accepted('1'), at: -1 })],
])('what the bot has written there is left out: %s', async (_what, line) => {
  const state = await temporaryDirectory();
  opened(state);
  writeFileSync(fileOf(state), `${line}\n${JSON.stringify(accepted('2'))}\n`);
  const { log, lines } = memoryLog();
  const journal = openJournal({ state, log });
  expect(journal.read()).toEqual([accepted('2')]);
  journal.close();
  expect(lines.join()).toContain('none of ours');
});

test('nothing is written through a link that the bot has put in the way', async () => {
  const [state, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  const treasure = join(elsewhere, 'treasure');
  writeFileSync(treasure, 'gold');
  const traps = [
    () => symlinkSync(elsewhere, join(state, '.agent')),
    () => symlinkSync(treasure, fileOf(state)),
    () => linkSync(treasure, fileOf(state)),
    () => mkdirSync(join(fileOf(state), 'deep'), { recursive: true }),
  ];
  for (const [index, trap] of traps.entries()) {
    rmSync(join(state, '.agent'), { recursive: true, force: true });
    if (index > 0) mkdirSync(join(state, '.agent'));
    trap();
    const journal = opened(state);
    journal.append(accepted('1'));
    journal.rewrite([accepted('2')]);
    expect(opened(state).read(), String(index)).toEqual([accepted('2')]);
    expect(readFileSync(treasure, 'utf8'), String(index)).toBe('gold');
    expect(readdirSync(elsewhere), String(index)).toEqual(['treasure']);
  }
});
