import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Config } from '../../../bot/config/config.ts';
import type { EventSink } from '../../../bot/events/event.ts';
import type { Kind, Launch, LaunchRequest } from '../../../bot/kinds/kind.ts';
import type { Restored } from '../../../bot/state/local/restoreReport.ts';
import type { Stores } from '../../../store/openStores.ts';
import type { PulledState } from '../../process/messages.ts';
import { processLimit } from '../../process/processLimit.ts';
import type { Self } from '../../process/roleProcess.ts';
import type { Capture } from '../capture/createCapture.ts';
import type { Guard } from '../guard/guard.ts';
import { listenForStop, type SignalSource, type StopRequest } from '../stop/stopRequest.ts';
import type { BotProcess } from './botProcess.ts';
import { createEventRelay, type EventRelay } from './eventRelay.ts';
import { readOomKills } from './oomKill.ts';

export interface LifeOptions {
  readonly config: Config;
  readonly kind: Kind;
  readonly request: LaunchRequest;
  readonly botEnvironment: (launch: Launch) => Readonly<Record<string, string>>;
  /** The environment from which the daemon and the query server read their configuration. */
  readonly roleEnvironment: Readonly<Record<string, string>>;
  readonly self: Self;
  /** Pulls code and state and takes a generation; undefined: a sidecar does that. `onState` is called once the state is there, even where the code fails. */
  readonly pull: (
    signal: AbortSignal,
    emit: EventSink,
    onState: (held: HeldState) => void,
  ) => Promise<Pulled | undefined>;
  readonly capture: Capture;
  /** Ends the bot when the supervisor dies. */
  readonly guard: Guard;
  readonly parts: { readonly sync: boolean; readonly queryServer: boolean };
  readonly signals: SignalSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** What the pull has learnt, and its connections. The process that saves continues with one of the two. */
export interface Pulled {
  readonly state: PulledState;
  readonly stores: Stores;
  /** What was read of the saved state, or is being read: the first snapshot is compared with it. Let go where the daemon does that. */
  readonly restored: { snapshot: Restored['snapshot'] | Promise<Restored['snapshot']> };
}

/** A state whose generation this container has taken although nothing of the bot has run yet. */
export interface HeldState extends Pulled {
  /** An earlier life has left it on this volume; it may be newer than the saved state. */
  readonly kept: boolean;
}

/** One life of a bot: what every phase of it is given. */
export interface Life extends LifeOptions {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly stop: StopRequest;
  readonly relay: EventRelay;
  /** Aborted, with the error for it (75) as its reason, once another instance has taken over. */
  readonly fenced: AbortSignal;
  /** Records that another instance has taken over, with the reason in words. */
  fence(message: string): void;
  /** The bot's first process exists: from now on its output is captured and signals are passed on to it. */
  adopt(bot: BotProcess): void;
  /** The state that a failed start has to save; undefined again once the bot runs. */
  hold(state: HeldState | undefined): void;
  held(): HeldState | undefined;
  /** How many processes the kernel had killed for memory before. */
  readonly oomKills: number | undefined;
  /** How many processes and threads the container may have. */
  readonly processLimit: number | undefined;
}

/** Begins a life: listens to signals and remembers the kernel's counters. */
export function beginLife(options: LifeOptions): Life {
  const { config, clock, capture } = options;
  const fenced = new AbortController();
  let bot: BotProcess | undefined;
  let held: HeldState | undefined;
  const stop = listenForStop({
    source: options.signals,
    clock,
    stopTimeoutMs: config.stopTimeoutMs,
    onOther: (signal) => void bot?.signal(signal),
  });
  const relay = createEventRelay(clock.now);
  relay.emit('start', { bot: config.botId, kind: options.kind.id, type: config.botType });
  return {
    ...options,
    startedAt: clock.now(),
    stop,
    relay,
    fenced: fenced.signal,
    fence: (message) => {
      const hint = 'Another instance of this bot runs now; this one has stopped.';
      fenced.abort(new RuntimeError('fenced', message, { hint }));
    },
    adopt: (process) => {
      bot = process;
      for (const name of ['stdout', 'stderr'] as const) {
        const output = process[name];
        if (output !== null) capture.attach(name, output, process.outputEnded);
      }
    },
    hold: (state) => {
      held = state;
    },
    held: () => held,
    oomKills: readOomKills(),
    processLimit: processLimit(),
  };
}
