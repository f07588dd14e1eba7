import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Config } from '../../../bot/config/config.ts';
import type { EventSink } from '../../../bot/events/event.ts';
import type { Kind, Launch, LaunchRequest } from '../../../bot/kinds/kind.ts';
import type { Stores } from '../../../store/openStores.ts';
import type { PulledState } from '../../process/messages.ts';
import { processLimit } from '../../process/processLimit.ts';
import type { Self } from '../../process/roleProcess.ts';
import type { Capture } from '../capture/createCapture.ts';
import { listenForStop, type SignalSource, type StopRequest } from '../stop/stopRequest.ts';
import type { BotProcess } from './botProcess.ts';
import { createEventRelay, type EventRelay } from './eventRelay.ts';
import { readOomKills } from './oomKill.ts';

export interface LifeOptions {
  readonly config: Config;
  readonly kind: Kind;
  readonly request: LaunchRequest;
  readonly botEnvironment: (launch: Launch) => Readonly<Record<string, string>>;
  /** What the daemon and the query server read their configuration from. */
  readonly roleEnvironment: Readonly<Record<string, string>>;
  readonly self: Self;
  /** Brings code and state and takes a generation; undefined: a sidecar does that. `onState`: the state is there, whatever the code does. */
  readonly pull: (
    signal: AbortSignal,
    emit: EventSink,
    onState: (held: HeldState) => void,
  ) => Promise<Pulled | undefined>;
  readonly capture: Capture;
  readonly parts: { readonly sync: boolean; readonly queryServer: boolean };
  readonly signals: SignalSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** What the pull learnt, and the connections that it was pulled by: whoever saves goes on with the one or the other. */
export interface Pulled {
  readonly state: PulledState;
  readonly stores: Stores;
}

/** A state that is ours although nothing of the bot has run yet. */
export interface HeldState extends Pulled {
  /** It is what an earlier life has left here, and may be newer than what is saved. */
  readonly kept: boolean;
}

/** One life of a bot, as every phase of it has it. */
export interface Life extends LifeOptions {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly stop: StopRequest;
  readonly relay: EventRelay;
  /** Aborted, with the error for it (75) as its reason, once another instance has taken over. */
  readonly fenced: AbortSignal;
  /** Another instance has taken over, in these words. */
  fence(message: string): void;
  /** The bot's first process is there: its output is captured from now on, and signals are passed on to it. */
  adopt(bot: BotProcess): void;
  /** What a start that fails answers for; undefined again once the bot runs. */
  hold(state: HeldState | undefined): void;
  held(): HeldState | undefined;
  /** How many processes the kernel had killed for memory before. */
  readonly oomKills: number | undefined;
  /** How many processes and threads the container may have. */
  readonly processLimit: number | undefined;
}

/** Listens from the very start: to signals, and to what the kernel says. */
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
