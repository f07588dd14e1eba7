import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { inParallel } from '../../../bot/state/read/inParallel.ts';
import type { KnownBot } from './readBot.ts';

export interface DeparturesOptions {
  readonly clock: Clock;
  readonly canSave: (bot: string, signal: AbortSignal) => Promise<void>;
}

/** Bots that are deleted, and whether they may be stopped yet. */
export interface Departures {
  ask(one: KnownBot): void;
  /** The store has answered since it was deleted, or nobody wants to wait for it. */
  may(one: KnownBot): boolean;
  forget(one: KnownBot): void;
  readonly waits: ReadonlyMap<string, string>;
  run(signal: AbortSignal): Promise<void>;
}

const ASK_EVERY_MS = 2_000;
const ASKED_AT_ONCE = 8;
/** A store that is away may take its time to be given up: until then it is said that it is waited for. */
const SAID_AFTER_MS = 3_000;

/**
 * A bot that is stopped while the store is away loses what was not saved. So one that is deleted runs on until the store answers.
 * `changed` is called with a bot that may go now, or of which `waits` says something else.
 */
export function createDepartures(
  { clock, canSave }: DeparturesOptions,
  changed: (bot: string) => void,
): Departures {
  const asking = new Map<string, KnownBot>();
  const allowed = new Set<string>();
  const waits = new Map<string, string>();
  let wake: () => void = () => undefined;

  function wait({ uid, bot }: KnownBot, why: string): void {
    if (!asking.has(uid) || waits.get(bot) === why) return;
    waits.set(bot, why);
    changed(bot);
  }

  async function askAll(signal: AbortSignal): Promise<void> {
    // They have one store: not each of a thousand waits for the end of its time.
    let away: Error | undefined;
    await inParallel(ASKED_AT_ONCE, [...asking.values()], signal, async (one) => {
      const asked = new AbortController();
      if (!waits.has(one.bot))
        void clock.sleep(SAID_AFTER_MS, AbortSignal.any([signal, asked.signal])).then(
          () => wait(one, 'the store has not answered yet'),
          () => undefined,
        );
      try {
        if (away !== undefined) throw away;
        await canSave(one.bot, signal);
        allowed.add(one.uid);
        asking.delete(one.uid);
        waits.delete(one.bot);
        changed(one.bot);
      } catch (error) {
        signal.throwIfAborted();
        away = asRuntimeError(error);
        wait(one, away.message);
      } finally {
        asked.abort();
      }
    });
  }

  return {
    waits,
    ask: (one) => {
      if (allowed.has(one.uid) || asking.has(one.uid)) return;
      asking.set(one.uid, one);
      wake();
    },
    may: ({ uid, goesUnsaved }) => goesUnsaved || allowed.has(uid),
    forget: ({ uid, bot }) => {
      asking.delete(uid);
      allowed.delete(uid);
      waits.delete(bot);
    },
    run: async (signal) => {
      signal.addEventListener('abort', () => wake(), { once: true });
      while (!signal.aborted) {
        if (asking.size === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        try {
          await askAll(signal);
          if (asking.size > 0) await clock.sleep(ASK_EVERY_MS, signal);
        } catch {
          // Aborted.
        }
      }
    },
  };
}
