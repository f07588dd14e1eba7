import type { Clock } from '../../base/clock.ts';
import { hasPassed } from '../../base/hasPassed.ts';
import type { Engine, Instance, Role } from '../engine/engine.ts';

/** What the engine holds of bots and their runs, as far as it has told. */
export interface EngineView {
  /** Those of one bot; undefined: the engine does not answer, or has not yet. */
  of(bot: string): readonly Instance[] | undefined;
  bots(): Iterable<string>;
  readonly answers: boolean;
  /** Asks anew about these names, after something was done with them. Throws what the engine throws. */
  refresh(names: readonly string[], signal: AbortSignal): Promise<void>;
  /** Subscribes, lists, and goes on until the signal; while the engine is away it tries again. */
  run(signal: AbortSignal): Promise<void>;
}

export interface EngineViewEvents {
  /** Something of the bot's instances has changed. */
  changed(bot: string): void;
  answered(): void;
  lost(error: unknown): void;
}

/** Events may be lost without anybody noticing. */
const LIST_AGAIN_MS = 60_000;
const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export function createEngineView(
  engine: Engine,
  clock: Clock,
  events: EngineViewEvents,
  /** Others of the host's instances are somebody else's business. */
  roles: ReadonlySet<Role> = new Set(['bot', 'run']),
): EngineView {
  const byBot = new Map<string, Map<string, Instance>>();
  const botOf = new Map<string, string>();
  /** When the question was put whose answer is shown for a name: an answer to an earlier one knows less. */
  const asked = new Map<string, number>();
  let count = 0;
  let answers = false;

  const isBots = (one: Instance | undefined) => one !== undefined && roles.has(one.role);

  function put(name: string, instance: Instance | undefined): void {
    const bot = instance?.bot ?? botOf.get(name);
    if (bot === undefined) return;
    const own = byBot.get(bot) ?? new Map<string, Instance>();
    const before = own.get(name);
    if (instance === undefined) {
      own.delete(name);
      botOf.delete(name);
    } else {
      own.set(name, instance);
      botOf.set(name, bot);
    }
    if (own.size === 0) byBot.delete(bot);
    else byBot.set(bot, own);
    if (!same(before, instance)) events.changed(bot);
  }

  async function refresh(names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const name of names) {
      const began = ++count;
      const instance = await engine.inspect(name, signal);
      if ((asked.get(name) ?? 0) > began) continue;
      asked.set(name, began);
      put(name, isBots(instance) ? instance : undefined);
    }
  }

  async function list(signal: AbortSignal): Promise<void> {
    const began = ++count;
    const instances = (await engine.list(signal)).filter(isBots);
    const listed = new Map(instances.map((one) => [one.name, one]));
    const newer = (name: string) => (asked.get(name) ?? 0) > began;
    for (const name of new Set([...botOf.keys(), ...listed.keys()])) {
      if (newer(name)) continue;
      asked.set(name, began);
      put(name, listed.get(name));
    }
    for (const [name, when] of asked) if (when < began && !botOf.has(name)) asked.delete(name);
  }

  async function watchOnce(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const pending = new Set<string>();
    let lost = false;
    let wake: () => void = () => undefined;
    try {
      const watch = await engine.watch((name) => {
        if (name === undefined) lost = true;
        else pending.add(name);
        wake();
      }, both);
      await list(both);
      answers = true;
      events.answered();
      let isOver = false;
      void watch.ended.then(() => {
        isOver = true;
        wake();
      });
      let listedAt = clock.now();
      while (!isOver) {
        const names = [...pending];
        pending.clear();
        if (lost || hasPassed(listedAt, LIST_AGAIN_MS, clock.now())) {
          lost = false;
          listedAt = clock.now();
          await list(both);
        } else await refresh(names, both);
        if (pending.size > 0 || lost || isOver) continue;
        const told = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const rest = new AbortController();
        await Promise.race([told, clock.sleep(LIST_AGAIN_MS, AbortSignal.any([both, rest.signal]))]).finally(
          () => rest.abort(),
        );
      }
    } finally {
      over.abort();
    }
  }

  return {
    of: (bot) => (answers ? [...(byBot.get(bot)?.values() ?? [])] : undefined),
    bots: () => byBot.keys(),
    get answers() {
      return answers;
    },
    refresh,
    run: async (signal) => {
      for (let pause = PAUSE_MS; !signal.aborted; ) {
        try {
          await watchOnce(signal);
          pause = PAUSE_MS;
        } catch (error) {
          if (signal.aborted) return;
          if (answers) events.lost(error);
          answers = false;
        }
        await clock.sleep(pause, signal).catch(() => undefined);
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
      }
    },
  };
}

function same(a: Instance | undefined, b: Instance | undefined): boolean {
  return (
    a?.id === b?.id &&
    a?.state === b?.state &&
    a?.startedAt === b?.startedAt &&
    a?.address === b?.address &&
    a?.error === b?.error
  );
}

/** A host without bots of its own only looks where the realtime ones are. */
export function rolesOf(types: ReadonlySet<'realtime' | 'scheduled'>): ReadonlySet<Role> {
  const roles = new Set<Role>();
  if (types.has('scheduled')) roles.add('run');
  if (types.has('realtime') || types.size === 0) roles.add('bot');
  return roles;
}
