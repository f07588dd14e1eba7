import { test } from 'vitest';
import { TestBot } from './support/bot.ts';
import { checkRandomLives } from './support/randomLives.ts';

const SCALE = Number(process.env.RUNTIME_TEST_SCALE ?? 1);

test('whatever happens to the tree, what is restored is what was published', { timeout: 600_000 }, () =>
  checkRandomLives(() => TestBot.open(), Math.ceil(25 * SCALE)),
);
