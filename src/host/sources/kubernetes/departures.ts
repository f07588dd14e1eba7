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

/** A bot that is stopped while the store is away loses what was not saved. So one that is deleted runs on until the store answers. */
export function createDepartures({ clock, canSave }: DeparturesOptions, changed: () => void): Departures {
  const asking = new Map<string, KnownBot>();
  const allowed = new Set<string>();
  const waits = new Map<string, string>();
  let wake: () => void = () => undefined;

  async function askAll(signal: AbortSignal): Promise<void> {
    await inParallel(ASKED_AT_ONCE, [...asking.values()], signal, async (one) => {
      try {
        await canSave(one.bot, signal);
        allowed.add(one.uid);
        asking.delete(one.uid);
        waits.delete(one.bot);
      } catch (error) {
        signal.throwIfAborted();
        waits.set(one.bot, asRuntimeError(error).message);
      }
      changed();
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
