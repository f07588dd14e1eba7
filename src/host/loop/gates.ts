import type { Gates, Situation } from '../reconcile/situation.ts';
import type { WantedView } from './wantedView.ts';
import type { Waves } from './waves.ts';

export interface GateKeepers {
  readonly draining: boolean;
  readonly wanted: WantedView;
  readonly waves: Waves;
  readonly hostFull: () => string | undefined;
}

/** What keeps a bot from being started or replaced now. Asking lets it into a wave. */
export function gatesOf(seen: Omit<Situation, 'gates'>, keepers: GateKeepers): Gates {
  const { bot, wanted, recorded, now } = seen;
  const { draining } = keepers;
  if (wanted.type !== 'present') return { draining, start: undefined, replace: true };
  const full = keepers.hostFull();
  const start = full === undefined ? undefined : { reason: 'HostFull', message: `not started: ${full}` };
  const { hash, spec } = wanted;
  const isNew = hash === undefined || recorded.current === undefined || recorded.current.hash === hash;
  if (isNew) return { draining, start, replace: true };
  const group = spec.code.file;
  const total = sizeOf(group, keepers.wanted);
  return {
    draining,
    start,
    replace: total < 2 || keepers.waves.mayReplace({ bot, group, hash, total, now }),
  };
}

/** How many bots are wanted with this code. */
function sizeOf(file: string, wanted: WantedView): number {
  let size = 0;
  for (const bot of wanted.bots()) {
    const entry = wanted.entry(bot);
    if (entry !== undefined && 'spec' in entry && entry.spec.code.file === file) size += 1;
  }
  return size;
}
