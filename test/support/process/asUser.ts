import { chownSync } from 'node:fs';

export const isRoot = process.getuid?.() === 0;

const ID = 1000;

/** Runs as an ordinary user, whom `dir` is given to; for root only. */
export async function asUser(dir: string, run: () => Promise<void>): Promise<void> {
  chownSync(dir, ID, ID);
  process.setegid!(ID);
  process.seteuid!(ID);
  try {
    await run();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}
