import type { CodeRef } from '../bots/botSpec.ts';
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
  const { bot, wanted, now } = seen;
  const { draining } = keepers;
  if (wanted.type !== 'present') return { draining, start: undefined, replace: true };
  const full = keepers.hostFull();
  const start = full === undefined ? undefined : { reason: 'HostFull', message: `not started: ${full}` };
  const { hash, spec } = wanted;
  // Only what runs and has to be replaced takes a place in a wave: nothing else would ever be ready in it.
  const isOlder = seen.instances?.some(
    (one) => one.role === 'bot' && one.state === 'running' && one.hash !== hash,
  );
  if (hash === undefined || !isOlder || !spec.enabled) return { draining, start, replace: true };
  const group = groupOf(spec.code);
  const total = () => sizeOf(group, keepers.wanted);
  return { draining, start, replace: keepers.waves.mayReplace({ bot, group, hash, total, now }) };
}

/** What changes together: one archive, also where each bot has it under a key of its own (`code.path`). */
const groupOf = ({ file, sha256 }: CodeRef) => sha256 ?? file;

/** How many bots that run all the time are wanted with this code. */
function sizeOf(group: string, wanted: WantedView): number {
  let size = 0;
  for (const bot of wanted.bots()) {
    const entry = wanted.entry(bot);
    if (entry === undefined || !('spec' in entry)) continue;
    const { code, type, enabled } = entry.spec;
    if (groupOf(code) === group && type === 'realtime' && enabled) size += 1;
  }
  return size;
}
