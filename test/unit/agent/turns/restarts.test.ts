import { expect, test } from 'vitest';
import type { AgentLife } from '../../../../src/agent/turns/agentLife.ts';
import type { TurnBook } from '../../../../src/agent/turns/book.ts';
import type { Journal } from '../../../../src/agent/turns/journal.ts';
import { openRestarts } from '../../../../src/agent/turns/restarts.ts';
import { memoryLog } from '../../../support/memoryLog.ts';
import { newDisk, openModel, settle } from './turnModel.ts';

/** Restarts over a disk that outlives them. Only the life of the agent's process is played: it is always up again. */
async function open(disk = newDisk()) {
  const { turns, clock } = await openModel({ disk });
  const up = { type: 'up' } as const;
  const life = { instance: 'ins_1', standing: up, whenKnown: async () => up } as unknown as AgentLife;
  const asked: string[] = [];
  let ids = disk.entries.length;
  const restarts = openRestarts({
    turns,
    life,
    clock,
    log: memoryLog().log,
    journal: {
      append: (entry) => void disk.entries.push(structuredClone(entry)),
    } as Partial<Journal> as Journal,
    newId: () => String(++ids),
    startTimeoutMs: 1000,
    ask: (id) => void asked.push(id),
  });
  const begin = (key: string, hash = '{}') =>
    restarts.begin(
      { reason: undefined, save: 'required', graceSeconds: 0, keyed: { key, hash } },
      () => undefined,
    );
  const complete = async (id: string) => {
    await settle();
    restarts.report({ id, phase: 'started', stateSaved: true } as never);
    await settle();
  };
  return { begin, complete, asked, restarts, book: turns.book };
}

const compacted = (book: TurnBook) => ({ ...newDisk(), entries: book.entries() });

test('a key that came while another restart was under way stays that one, also after a new start', async () => {
  const { begin, complete, asked, restarts, book } = await open();
  const { id } = begin('a').restart;
  expect(begin('b')).toMatchObject({ restart: { id }, isReplayed: false });
  await complete(id);
  expect(restarts.find(id)).toMatchObject({ status: 'done' });
  for (const key of ['a', 'b']) expect(begin(key)).toMatchObject({ restart: { id }, isReplayed: true });
  expect(asked).toEqual([id]);
  const again = await open(compacted(book));
  for (const key of ['a', 'b']) expect(again.begin(key)).toMatchObject({ restart: { id }, isReplayed: true });
  expect(() => again.begin('b', 'other')).toThrow(expect.objectContaining({ status: 409 }));
  expect(again.asked).toEqual([]);
});

test('a key whose restart is not kept any more does not restart again', async () => {
  const { begin, complete, book } = await open();
  const { id } = begin('a').restart;
  await complete(id);
  const disk = compacted(book);
  disk.entries = [{ t: 'spent', id, at: 0, keyed: { key: 'a', hash: '{}' } }];
  const again = await open(disk);
  expect(() => again.begin('a')).toThrow(expect.objectContaining({ code: 'idempotency_conflict' }));
});
