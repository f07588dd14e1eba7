import { finalSync } from './finalSync.ts';
import { saveState } from './saveState.ts';
import type { SyncLoop } from './syncLoop.ts';
import type { SavedNow, SyncOptions } from './syncOptions.ts';

/** Publishes what there is, for somebody who goes on only when it is saved. Never throws. The end of the life, `ending`, cuts it short. */
export async function saveNow(
  options: SyncOptions,
  loop: SyncLoop,
  ending: AbortSignal,
): Promise<Pick<SavedNow, 'reason'>> {
  const nothing = async () => undefined;
  return await loop.alone(async () => {
    const { stateSaved, reason } = await finalSync({
      ...options,
      publish: (signal) =>
        saveState(options, { signal: AbortSignal.any([signal, ending]), final: false, complete: true }),
      ship: nothing,
      saveOutputs: nothing,
      budgetMs: undefined,
    });
    return { reason: stateSaved ? undefined : (reason ?? 'it was not saved') };
  });
}
