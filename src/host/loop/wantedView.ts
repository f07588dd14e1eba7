import type { BotSpec } from '../bots/botSpec.ts';
import type { Instances } from '../instances/instances.ts';
import type { Good } from '../reconcile/recorded.ts';
import type { Wanted } from '../reconcile/situation.ts';
import { parseSchedule } from '../schedule/parseSchedule.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Entry, Listing } from '../sources/source.ts';
import { heldBack } from './massDelete.ts';

/** What an instance would be made of now. */
type Made = Pick<Instances, 'hash' | 'base'>;

/** What the source wants, as far as it has told. */
export interface WantedView {
  /** Takes a listing over and resolves what has changed. `running`: bots that have a live instance. */
  listed(listing: Listing, running: readonly string[], now: number): readonly string[];
  /** `good`: what is recorded of it, for when the source has something broken. */
  of(bot: string, good: Good | undefined, made: Made, now: number): Wanted;
  entry(bot: string): Entry | undefined;
  bots(): Iterable<string>;
  /** These go when the source no longer has them, however many they are. */
  mean(bot: string): void;
  /** Takes that back. */
  keep(bot: string): void;
  /** Names that are kept although the source no longer has them. */
  readonly held: readonly string[];
  /** Lets those go. */
  confirm(): readonly string[];
  readonly listedAt: number | undefined;
}

const notBelieved = 'the source no longer has it, nor most of the others: not believed';

export function createWantedView(options: { readonly allowMassDelete: boolean }): WantedView {
  let entries: Listing = new Map();
  let held: readonly string[] = [];
  let listedAt: number | undefined;
  const meant = new Set<string>();
  const kept = new Map<string, Entry | undefined>();
  const schedules = new WeakMap<BotSpec, Schedule>();

  function scheduleOf(spec: BotSpec, now: number): Schedule | undefined {
    if (spec.schedule === undefined) return undefined;
    const known = schedules.get(spec);
    if (known !== undefined) return known;
    const parsed = parseSchedule({ ...spec.schedule, bot: spec.name }, now);
    // Refused when it was read; a schedule whose last time has passed since then has no next one.
    if (typeof parsed === 'string') return { key: parsed, everyMs: undefined, next: () => undefined };
    schedules.set(spec, parsed);
    return parsed;
  }

  return {
    listed: (listing, running, now) => {
      const before = entries;
      const wasHeld = held;
      held = options.allowMassDelete ? [] : heldBack(listing, running, meant);
      kept.clear();
      for (const bot of held) kept.set(bot, before.get(bot));
      for (const bot of meant) if (!listing.has(bot) && !running.includes(bot)) meant.delete(bot);
      entries = listing;
      const first = listedAt === undefined;
      listedAt = now;
      const names = new Set([...before.keys(), ...listing.keys(), ...held, ...wasHeld]);
      return [...names].filter(
        (bot) => first || before.get(bot) !== listing.get(bot) || wasHeld.includes(bot),
      );
    },
    of: (bot, good, made, now) => {
      if (listedAt === undefined) return { type: 'unknown' };
      const present = ({ origin, spec }: Good, problems?: readonly string[]): Wanted => ({
        type: 'present',
        spec,
        origin,
        hash: made.hash(spec),
        base: made.base(),
        schedule: scheduleOf(spec, now),
        ...(problems && { problems }),
      });
      const entry = entries.get(bot) ?? kept.get(bot);
      if (entry === undefined && !kept.has(bot)) return { type: 'absent' };
      if (entry !== undefined && 'spec' in entry) return present(entry);
      const problems = entry?.problems ?? [notBelieved];
      return good === undefined ? { type: 'invalid', problems } : present(good, problems);
    },
    entry: (bot) => entries.get(bot) ?? kept.get(bot),
    bots: () => new Set([...entries.keys(), ...kept.keys()]),
    mean: (bot) => void meant.add(bot),
    keep: (bot) => void meant.delete(bot),
    get held() {
      return held;
    },
    confirm: () => {
      const confirmed = held;
      for (const bot of held) meant.add(bot);
      held = [];
      kept.clear();
      return confirmed;
    },
    get listedAt() {
      return listedAt;
    },
  };
}

/** Of the other sort: another host of the same source looks after it. */
export function isOurs(wanted: Wanted, types: ReadonlySet<'realtime' | 'scheduled'>): boolean {
  return wanted.type === 'present' ? types.has(wanted.spec.type) : types.size > 0;
}
