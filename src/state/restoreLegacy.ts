import type { StateContext } from './context.ts';
import type { Place } from './intoPlace.ts';
import { nothing, type RestoreReport } from './restoreReport.ts';

/** What an agent before this format saved: `<bot>/state.tar.gz`, which is left alone. */
export async function restoreLegacy(_context: StateContext, _place: Place): Promise<RestoreReport> {
  return nothing;
}
