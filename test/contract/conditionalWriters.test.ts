import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getBytes } from '../../src/store/readAll.ts';
import { type Backend, openBackend } from './backends.ts';
import type { Outcome, Round } from './conditionalWriter.ts';

const WRITERS = 8;
const ROUNDS = 100;

describe.each(['file', 's3', 'folder'] as const)('%s', (type) => {
  let backend: Backend;
  let writers: ChildProcess[];

  beforeAll(async () => {
    backend = await openBackend(type);
    const program = join(import.meta.dirname, 'conditionalWriter.ts');
    writers = Array.from({ length: WRITERS }, () =>
      fork(program, [JSON.stringify(backend.place)], { execArgv: [] }),
    );
    await Promise.all(writers.map((writer) => once(writer, 'message')));
  });
  afterAll(async () => {
    for (const writer of writers) writer.kill();
    await backend.remove();
  });

  test(`of ${WRITERS} processes that write under one condition exactly one wins, ${ROUNDS} times`, async () => {
    let ifMatch: string | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      const outcomes = await Promise.all(
        writers.map(async (writer, number) => {
          const answer = once(writer, 'message');
          writer.send({ key: 'head', body: `${round} ${number}`, ifMatch } satisfies Round);
          const [outcome] = (await answer) as [Outcome];
          return outcome;
        }),
      );
      const winners = outcomes.flatMap((outcome, number) =>
        'etag' in outcome ? [{ ...outcome, number }] : [],
      );
      expect(winners, JSON.stringify(outcomes)).toHaveLength(1);
      expect(outcomes.filter((outcome) => 'lost' in outcome)).toHaveLength(WRITERS - 1);
      const { bytes, etag } = await getBytes(backend.store, 'head', { maxBytes: 100 });
      expect(bytes.toString()).toBe(`${round} ${winners[0]?.number}`);
      expect(etag).toBe(winners[0]?.etag);
      ifMatch = etag;
    }
  });
});
