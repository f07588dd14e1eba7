import { isatty } from 'node:tty';
import type { Clock } from '../../../base/clock.ts';
import { accidentalSignals } from '../../../base/signals.ts';
import { type StopBudget, startStop } from './stopBudget.ts';

/** Signals that ask for an orderly end. */
const STOPPING = ['SIGTERM', 'SIGINT'] as const;
/** Signals that end no process by default. They are passed on to the bot nevertheless. */
const HARMLESS = ['SIGWINCH', 'SIGCONT', 'SIGURG'] as const;

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

export interface StopRequest {
  /** Aborted by the first stopping signal. */
  readonly requested: AbortSignal;
  /** Aborted by the second: the bot's grace ends at once. */
  readonly hurried: AbortSignal;
  /** Counted from the first signal; undefined before it. */
  readonly budget: StopBudget | undefined;
  close(): void;
}

export interface StopOptions {
  readonly source: SignalSource;
  readonly clock: Clock;
  readonly stopTimeoutMs: number;
  readonly onOther: (signal: NodeJS.Signals) => void;
}

/** Listens from the very start: a signal that comes while we pull must end the pull, not us. */
export function listenForStop({ source, clock, stopTimeoutMs, onOther }: StopOptions): StopRequest {
  const first = new AbortController();
  const second = new AbortController();
  let budget: StopBudget | undefined;
  const onStop = () => {
    if (budget) return second.abort();
    budget = startStop(clock.elapsed(), stopTimeoutMs);
    first.abort();
  };
  const listeners: [NodeJS.Signals, () => void][] = [
    ...STOPPING.map((signal): [NodeJS.Signals, () => void] => [signal, onStop]),
    ...[...accidentalSignals(isatty(0)), ...HARMLESS].map((signal): [NodeJS.Signals, () => void] => [
      signal,
      () => onOther(signal),
    ]),
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return {
    requested: first.signal,
    hurried: second.signal,
    get budget() {
      return budget;
    },
    close: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener);
    },
  };
}
