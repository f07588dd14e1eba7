import { RuntimeError } from '../../base/errors.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import { isAgent } from '../bots/isAgent.ts';
import { writeSpec } from '../bots/writeSpec.ts';
import type { Engine } from '../engine/engine.ts';
import { QUERY_PORT } from '../engine/queryPort.ts';
import type { Instances } from '../instances/instances.ts';
import type { Journal } from '../journal/event.ts';
import type { Loop, BotState as LoopState } from '../loop/loop.ts';
import type { Owner, Owners } from '../owners/owners.ts';
import { type Recorded, without } from '../reconcile/recorded.ts';
import type { Rollbacks } from '../reconcile/rollbacks.ts';
import type { Source, SourceWriter } from '../sources/source.ts';
import { botView } from './botView.ts';
import type { BotState, HostApi } from './hostApi.ts';
import { logsOf } from './logsOf.ts';

export interface HostApiOptions {
  readonly loop: Loop;
  /** Those that the loop asks. */
  readonly owners?: Owners | undefined;
  readonly engine: Engine;
  readonly instances: Instances;
  readonly rollbacks: Rollbacks;
  readonly source: Source;
  readonly journal: Journal;
  readonly version: string;
  readonly startedAt: number;
  readonly now: () => number;
  /** Keeps it for the next life of the host. */
  readonly keepDraining: (on: boolean) => void | Promise<void>;
  readonly makeToken: (bot: string) => string;
}

/** For a look into the store, while an operator waits. */
const CHECK_MS = 30_000;

/** The host as all others see it. */
export function createHostApi(options: HostApiOptions): HostApi {
  const { loop, engine, instances, rollbacks, source, journal, now } = options;

  function known(name: string): LoopState {
    const state = loop.state(name);
    if (state.wanted.type === 'absent' && (state.instances?.length ?? 0) === 0)
      throw new RuntimeError('not-found', `no bot ${name}`, { hint: '`runtime bots ls` lists them.' });
    return state;
  }

  function writer(): SourceWriter {
    if (source.writer !== undefined) return source.writer;
    throw new RuntimeError('refused', `${source.label} is written by others`, {
      hint: 'Change the bot where it is written down.',
    });
  }

  /** What an operator asks ends every wait: whoever asks has seen why it waits. */
  async function ask(name: string, change: (recorded: Recorded) => Recorded): Promise<void> {
    await loop.ask(name, (recorded) => ({ ...without(change(recorded), 'held', 'retryAt'), failures: 0 }));
  }

  /** What is done to a bot of another host would be done beside it. */
  function own(name: string): void {
    const owner = loop.owner(name);
    if (owner.type === 'elsewhere') throw new RuntimeError('refused', owner.message);
  }

  /** Written down; the loop does the rest, over a death of the host too. */
  async function rollBackState(name: string, sequence: number, { previous }: Recorded): Promise<void> {
    const spec = previous && enabled(previous.spec);
    if (spec !== undefined) writer();
    await rollbacks.check(name, sequence, AbortSignal.timeout(CHECK_MS));
    const askedAt = now();
    await ask(name, (recorded) => {
      if (recorded.rollback === undefined) return { ...recorded, rollback: { askedAt, sequence, spec } };
      throw new RuntimeError('refused', `${name} is being rolled back to ${recorded.rollback.sequence}`);
    });
  }

  const owned = (type: Owner['type']) => loop.bots().filter((bot) => loop.owner(bot).type === type).length;

  async function drain(on: boolean): Promise<void> {
    await options.keepDraining(on);
    const message = on ? 'every bot is being stopped, and none is started' : 'bots are started again';
    journal.write({ type: on ? 'draining' : 'resumed', bot: undefined, message, facts: {} });
    loop.draining = on;
  }

  return {
    status: () => ({
      version: options.version,
      startedAt: options.startedAt,
      engine: { name: engine.name, answers: loop.engine.answers },
      source: {
        label: source.label,
        answers: loop.wanted.listedAt !== undefined && loop.observer.failure === undefined,
        listedAt: loop.wanted.listedAt,
      },
      draining: loop.draining,
      heldDeletes: loop.wanted.held.length,
      // Whoever only wants to know whether the source answers does not wait for a thousand bots to be looked at.
      get bots() {
        return count(loop);
      },
      get heldElsewhere() {
        return owned('elsewhere');
      },
      get askingStore() {
        return owned('asking');
      },
      ownersProblem: options.owners?.problem,
      get elsewhere() {
        const own = new Set(loop.bots());
        return [...loop.wanted.bots()].filter((bot) => !own.has(bot)).length;
      },
    }),
    bots: () => loop.bots().map((name) => botView(loop.state(name), loop.wanted.entry(name))),
    bot: (name) => {
      const state = loop.state(name);
      const isUnknown = state.wanted.type === 'absent' && (state.instances?.length ?? 0) === 0;
      return isUnknown ? undefined : botView(state, loop.wanted.entry(name));
    },
    queryAddress: (name) => {
      const { wanted, instances: own } = loop.state(name);
      const instance = own?.find(({ role, state }) => role === 'bot' && state === 'running');
      const asks =
        wanted.type === 'present' && (wanted.spec.entrypoints.query !== undefined || isAgent(wanted.spec));
      if (instance?.address === undefined || !asks) return undefined;
      return { host: instance.address, port: QUERY_PORT, instance: instance.id };
    },
    changes: (listener) => loop.onChange(listener),

    events: (query) => journal.read(query),
    watchEvents: (listener) => journal.subscribe(listener),
    logs: (name, logOptions, signal) => {
      known(name);
      return logsOf({ loop, engine }, name, logOptions, signal);
    },

    apply: async (text) => {
      const name = await writer().apply(text);
      loop.wanted.keep(name);
      return name;
    },
    enable: async (name, enabled) => await writer().enable(name, enabled),
    remove: async (name) => {
      loop.wanted.mean(name);
      await writer()
        .remove(name)
        .catch((error: unknown) => {
          loop.wanted.keep(name);
          throw error;
        });
    },
    run: async (name) => {
      const { wanted } = known(name);
      if (wanted.type === 'invalid')
        throw new RuntimeError('refused', `${name} is not a bot yet: ${wanted.problems.join('; ')}`);
      if (wanted.type !== 'present' || wanted.spec.type !== 'scheduled')
        throw new RuntimeError('refused', `${name} is not a scheduled bot`, {
          hint: 'A realtime bot runs all the time; `runtime bots restart` starts it anew.',
        });
      if (!wanted.spec.enabled) throw new RuntimeError('refused', `${name} is disabled`);
      own(name);
      const time = now();
      await ask(name, (recorded) => {
        if (recorded.runAsked === undefined) return { ...recorded, runAsked: time };
        // Instead of it, that one would be lost, and nobody told.
        const before = new Date(recorded.runAsked).toISOString();
        throw new RuntimeError('refused', `${name} has a run that waits already: ${before}`);
      });
      return time;
    },
    restart: async (name) => {
      const { wanted } = known(name);
      if (wanted.type === 'present') instances.renew(wanted.spec);
      await ask(name, (recorded) => ({ ...recorded, restartAsked: now() }));
    },
    rollback: async (name, at) => {
      const { recorded } = known(name);
      own(name);
      if (at !== undefined) return await rollBackState(name, at, recorded);
      if (recorded.previous === undefined)
        throw new RuntimeError('refused', `${name} has no earlier specification`);
      await writer().apply(writeSpec(enabled(recorded.previous.spec)));
      const message = 'the specification before is wanted again';
      journal.write({ type: 'rolled-back', bot: name, message, facts: {} });
    },
    token: async (name) => options.makeToken(known(name).bot),
    allowMassDelete: async () => {
      for (const bot of loop.wanted.confirm()) loop.wake(bot);
      loop.waves.release();
    },
    drain: () => drain(true),
    resume: () => drain(false),
  };
}

const enabled = (spec: BotSpec): BotSpec => ({ ...spec, enabled: true });

function count(loop: Loop): Record<BotState, number> {
  const counts: Record<BotState, number> = {
    running: 0,
    starting: 0,
    stopping: 0,
    waiting: 0,
    backoff: 0,
    held: 0,
    invalid: 0,
    disabled: 0,
    gone: 0,
  };
  for (const name of loop.bots()) counts[botView(loop.state(name), undefined).state] += 1;
  return counts;
}
