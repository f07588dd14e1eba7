import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Invocation } from '../../base/command/command.ts';
import { asRuntimeError } from '../../base/errors.ts';
import { type Flags, mergeSources } from '../../bot/config/mergeSources.ts';
import { absolutePath, flag } from '../../bot/config/parsers.ts';
import { variables } from '../../bot/config/variables.ts';
import { describeExit, writeExitRecord } from '../supervisor/life/exitRecord.ts';

/**
 * Leaves `exit.json` of a start that ended before there was a configuration, so that nobody takes an earlier life's for it:
 * where logs would have been, if that is there. Whatever goes wrong here, the exit code says it all the same.
 */
export function recordFailedStart(
  { cwd, env, flags }: Invocation,
  dir: string | undefined,
  thrown: unknown,
): void {
  const merged = mergeSources({ env, flags: flags as Flags }).env;
  const usual = dir === undefined ? variables.LOGS_PATH.default : join(resolve(cwd, dir), '.runtime', 'logs');
  const logs = absolutePath.parse(merged.LOGS_PATH ?? usual);
  if (logs === undefined || !existsSync(dirname(logs))) return;
  const around = dirname(logs);
  const now = Date.now();
  const record = describeExit({
    bot: undefined,
    error: asRuntimeError(thrown),
    stateSaved: true,
    logsSaved: true,
    startedAt: now,
    endedAt: now,
  });
  const files = { exitFile: join(around, 'exit.json'), doneFile: join(around, 'done') };
  try {
    const isScheduled = flag.parse(merged.IS_SCHEDULED ?? '') || merged.BOT_TYPE !== 'realtime';
    writeExitRecord(files, isScheduled ? 'scheduled' : 'realtime', record);
  } catch {
    // Read-only, or not ours.
  }
}
