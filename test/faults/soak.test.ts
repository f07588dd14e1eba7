import { expect, test } from 'vitest';
import { soak } from '../../scripts/soak.d/soak.ts';

/** Seconds; a longer one by hand: `scripts/soak MINUTES`. */
const seconds = Number(process.env.RUNTIME_SOAK_SECONDS ?? 60);

test('a bot under faults and kills at random loses nothing and says nothing twice', {
  timeout: seconds * 1000 + 120_000,
}, async () => {
  const printed: string[] = [];
  const seed = Date.now() % 2 ** 31;
  const { problems } = await soak({ minutes: seconds / 60, seed, print: (line) => void printed.push(line) });
  expect(problems, `SOAK_SEED=${seed}\n${printed.join('\n')}`).toEqual([]);
  expect(printed.at(-1)).toMatch(/[1-9]\d* requests struck/);
});
