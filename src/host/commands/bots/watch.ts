import type { Invocation } from '../../../base/command/command.ts';
import { writeJson } from '../../../base/command/output.ts';
import type { Asked } from './ask.ts';

/** Changes that come together are printed once. Milliseconds. */
const TOGETHER_MS = 500;

/** Prints, and with `--watch` again whenever something changes, of that bot or of any. */
export async function watch(asked: Asked, print: () => Promise<void>, bot?: string): Promise<void> {
  await print();
  if (!asked.invocation.flags.watch) return;
  const failed = Promise.withResolvers<never>();
  let due: NodeJS.Timeout | undefined;
  const again = () => {
    due = undefined;
    print().catch(failed.reject);
  };
  const follow = async () => {
    for await (const change of asked.host.lines<{ bot: string }>('/changes', asked.signal))
      if (bot === undefined || change.bot === bot) due ??= setTimeout(again, TOGETHER_MS);
  };
  await Promise.race([follow(), failed.promise]).finally(() => clearTimeout(due));
}

/** For people to read too; watched, on one line each, so that a program knows where it ends. */
export function printJson({ stdout, flags }: Invocation, value: unknown): void {
  if (flags.watch) stdout.write(`${JSON.stringify(value)}\n`);
  else writeJson(stdout, value);
}
