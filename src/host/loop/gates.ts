import type { CodeRef } from '../bots/botSpec.ts';
import { isSameSpec } from '../bots/isSameSpec.ts';
import type { Owner, Owners } from '../owners/owners.ts';
import type { Made } from '../reconcile/recorded.ts';
import type { Gates, Present, Situation } from '../reconcile/situation.ts';
import type { DiskUse } from './diskUse.ts';
import type { HostFull } from './hostFull.ts';
import type { WantedView } from './wantedView.ts';
import type { Waves } from './waves.ts';

export interface GateKeepers {
  readonly draining: boolean;
  readonly wanted: WantedView;
  readonly waves: Waves;
  readonly hostFull: HostFull;
  readonly diskUse: DiskUse;
  /** Undefined: all bots are this host's. */
  readonly owners?: Owners | undefined;
}

/** What keeps a bot from being started or replaced now. Asking lets it into a wave. */
export function gatesOf(seen: Omit<Situation, 'gates'>, keepers: GateKeepers): Gates {
  const { bot, wanted, now } = seen;
  const { draining } = keepers;
  if (wanted.type !== 'present') return { draining, start: undefined, replace: true };
  const owned = ownerGates(keepers.owners?.of(bot));
  if (owned !== undefined) return { draining, replace: false, ...owned };
  const full = keepers.hostFull.any();
  const start = full === undefined ? undefined : { reason: 'HostFull', message: `not started: ${full}` };
  const { hash, spec } = wanted;
  const over = keepers.diskUse.over(bot, spec.resources.diskBytes);
  const fullDisk = over === undefined ? undefined : keepers.hostFull.disk();
  const leave = fullDisk === undefined ? {} : { leave: `${over}; ${fullDisk}` };
  // Only what runs or is about to, and has to be replaced, takes a place in a wave: nothing else would ever be ready in it.
  const isOlder = seen.instances?.some(
    (one) => one.role === 'bot' && (one.state === 'running' || one.state === 'created') && one.hash !== hash,
  );
  if (hash === undefined || !isOlder || !spec.enabled || spec.sandbox)
    return { draining, start, replace: true, ...leave };
  // What could not be started afterwards is not ended.
  if (start !== undefined) return { draining, start, replace: false, ...leave };
  const isOfAll = changesAll(wanted, seen.recorded.current);
  const group = isOfAll ? `host ${wanted.base}` : groupOf(spec.code);
  const total = () => sizeOf(isOfAll ? undefined : group, keepers.wanted);
  return { draining, start, replace: keepers.waves.mayReplace({ bot, group, hash, total, now }), ...leave };
}

/** Undefined: it is this host's. */
function ownerGates(owner: Owner | undefined): Pick<Gates, 'start' | 'leave' | 'owner'> | undefined {
  if (owner === undefined || owner.type === 'ours') return undefined;
  if (owner.type === 'asking') {
    const message = owner.why ?? 'the store is asked whether another host has it';
    return { owner: 'asking', start: { reason: 'AskingStore', message, isTold: true } };
  }
  const start = { reason: 'HeldElsewhere', message: owner.message, isTold: true };
  return { owner: 'elsewhere', start, ...(owner.ends && { leave: owner.message }) };
}

/** Not the bot has changed but what all have in common: the image, or how this host makes its containers. */
function changesAll({ spec, base }: Present, current: Made | undefined): boolean {
  if (current === undefined) return false;
  const isOtherBase = current.base !== undefined && current.base !== base;
  return isOtherBase || isSameSpec(current.spec, spec);
}

/** What changes together: one archive, also where each bot has it under a key of its own (`code.path`). */
const groupOf = ({ file, sha256 }: CodeRef) => sha256 ?? file;

/** How many bots that run all the time are wanted with this code; undefined: with any. */
function sizeOf(group: string | undefined, wanted: WantedView): number {
  let size = 0;
  for (const bot of wanted.bots()) {
    const entry = wanted.entry(bot);
    if (entry === undefined || !('spec' in entry)) continue;
    const { code, type, enabled } = entry.spec;
    if ((group === undefined || groupOf(code) === group) && type === 'realtime' && enabled) size += 1;
  }
  return size;
}
