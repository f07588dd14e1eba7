import { asRuntimeError } from '../../base/errors.ts';
import type { NewEvent } from '../journal/event.ts';
import type { Situation } from '../reconcile/situation.ts';
import { updated } from './conditions.ts';
import { conditionsOf } from './conditionsOf.ts';
import type { DoStep } from './doStep.ts';
import { createEngineView, rolesOf } from './engineView.ts';
import { gatesOf } from './gates.ts';
import { type LookAtBot, lookAtBot } from './lookAtBot.ts';
import type { Loop, LoopOptions } from './loop.ts';
import { createSlots } from './slots.ts';
import { createSourceObserver } from './sourceObserver.ts';
import { createStoreGate } from './storeGate.ts';
import { toldToEnd } from './toldToEnd.ts';
import { createWakeups } from './wakeups.ts';
import { createWantedView, isOurs } from './wantedView.ts';
import { createWaves } from './waves.ts';
import { newWork, type Work } from './work.ts';

/**
 * Looks at each bot whenever something of it may have changed (`lookAtBot`). A bot is looked at by one at a time, one that fails waits by
 * itself, and what costs much (fetching, starting, stopping) is done in slots.
 */
export function createLoop(options: LoopOptions): Loop {
  const { engine, instances, records, rollbacks, journal, clock, hostFull, diskUse } = options;
  const works = new Map<string, Work>();
  const listeners = new Set<(bot: string) => void>();
  const slots = createSlots(options.slots);
  const store = createStoreGate();
  const wanted = createWantedView(options);
  const waves = createWaves({
    kept: options.waves.kept,
    now: clock.now(),
    changed: () => options.waves.changed(waves.keep),
    onHeld: (group, notReady) => {
      const message = `a change is held: ${notReady} of its last wave are not ready after 60 s`;
      tell({ type: 'held', bot: undefined, message, facts: { group } });
    },
  });
  const wakeups = createWakeups(options.timers, wake);
  const view = createEngineView(
    engine,
    clock,
    {
      changed: wake,
      answered: () => {
        tell({ type: 'engine-back', bot: undefined, message: 'the engine answers', facts: {} });
        observer.engineAnswered();
        wakeAll(allBots());
      },
      lost: (error) => {
        const message = `the engine does not answer: ${asRuntimeError(error).message}`;
        tell({ type: 'engine-lost', bot: undefined, message, facts: {} });
        wakeAll(allBots());
      },
    },
    rolesOf(options.types),
  );
  const keepers = { wanted, waves, hostFull, diskUse, owners: options.owners };
  const observer = createSourceObserver({
    wanted,
    view,
    now: () => clock.now(),
    tell,
    wake: wakeAll,
    allBots,
    recorded: records.get,
    share: records.share,
  });
  const deps: DoStep = {
    hands: { engine, instances, records, rollbacks, tell },
    view,
    slots,
    store,
    now: () => clock.now(),
    situation,
    observe: options.observe,
  };
  const looking: LookAtBot = {
    ...options,
    deps,
    store,
    waves,
    wavesWritten: () => options.waves.written(),
    situation,
    settle,
    drop,
    notice,
    tell,
  };
  let running: AbortSignal | undefined;
  let draining = options.draining;

  function tell(event: NewEvent): void {
    journal.write(event);
    const { type, bot, message } = event;
    options.log.info(message, { type, ...(bot !== undefined && { bot }) });
  }

  function allBots(): Set<string> {
    return new Set([...wanted.bots(), ...view.bots(), ...records.bots(), ...works.keys()]);
  }

  function work(bot: string): Work {
    const own = works.get(bot) ?? newWork();
    works.set(bot, own);
    return own;
  }

  function wakeAll(bots: Iterable<string>): void {
    for (const bot of bots) wake(bot);
  }

  function wake(bot: string): void {
    const own = work(bot);
    own.again = true;
    if (own.busy || running === undefined || running.aborted) return;
    own.busy = true;
    void lookAtBot(bot, own, looking, running).finally(() => {
      own.busy = false;
      // One that was forgotten meanwhile is looked at again where it has come back.
      if (own.again && (works.get(bot) === own || wanted.entry(bot) !== undefined)) wake(bot);
    });
  }

  function seen(bot: string): Omit<Situation, 'gates'> {
    const now = clock.now();
    const recorded = records.get(bot);
    const own = wanted.of(bot, recorded.good, instances, now);
    const instancesNow = view.of(bot);
    return { bot, wanted: own, instances: instancesNow, recorded, now };
  }

  function situation(bot: string): Situation {
    const own = seen(bot);
    const told = toldToEnd(own.instances, own.recorded, () => options.saysStopped?.(bot) ?? false);
    return { ...own, toldToEnd: told, gates: gatesOf(own, { ...keepers, draining }) };
  }

  function drop(bot: string): void {
    works.delete(bot);
    diskUse.forget(bot);
    wakeups.cancel(bot);
    for (const listener of listeners) listener(bot);
  }

  function settle(bot: string, own: Work, lookAt: number | undefined): void {
    wakeups.cancel(bot);
    if (lookAt !== undefined) wakeups.at(bot, lookAt);
    notice(bot, own);
  }

  function notice(bot: string, own: Work): void {
    own.conditions = updated(own.conditions, clock.now(), conditionsOf(seen(bot), own, keepers));
    for (const listener of listeners) listener(bot);
  }

  return {
    observer,
    engine: view,
    wanted,
    slots,
    waves,
    get draining() {
      return draining;
    },
    set draining(on) {
      draining = on;
      wakeAll(allBots());
    },
    bots: () => [...allBots()].filter((bot) => isOurs(seen(bot).wanted, options.types)),
    state: (bot) => {
      const { ready, conditions } = works.get(bot) ?? newWork();
      return { ...seen(bot), ready, conditions };
    },
    ask: (bot, change) =>
      new Promise((done, failed) => {
        work(bot).asked.push({ change, done, failed });
        wake(bot);
      }),
    owner: (bot) => options.owners?.of(bot) ?? { type: 'ours' },
    wake,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    run: async (signal) => {
      running = signal;
      wakeAll(allBots());
      await view.run(signal);
      wakeups.stop();
    },
  };
}
