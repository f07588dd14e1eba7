import type { BotSpec } from '../bots/botSpec.ts';
import type { NewEvent } from '../journal/event.ts';
import type { Recorded } from './recorded.ts';
import type { Rollback } from './rollbacks.ts';
import type { ClosedGate } from './situation.ts';

/** One durable effect on the engine or on the disk. Each may be repeated. */
export type Action =
  | { readonly type: 'nothing' }
  /** Only write `Step.write`. */
  | { readonly type: 'record' }
  /** Fetch image and code, make folders. */
  | { readonly type: 'prepare' }
  | { readonly type: 'create' }
  | { readonly type: 'create-run'; readonly time: number }
  | { readonly type: 'start'; readonly name: string }
  | { readonly type: 'stop'; readonly name: string; readonly graceMs: number }
  | { readonly type: 'kill'; readonly name: string }
  | { readonly type: 'retire'; readonly name: string; readonly to: string }
  | { readonly type: 'remove'; readonly name: string }
  /** Make an older snapshot of its state the newest. */
  | { readonly type: 'publish-again'; readonly rollback: Rollback }
  /** Write a specification to the source. */
  | { readonly type: 'want'; readonly spec: BotSpec }
  /** Nothing of the bot is left, wanted or running. */
  | { readonly type: 'forget' };

/** What to do now: first the action, then the events, then what is to be known from then on. */
export interface Step {
  readonly action: Action;
  readonly events: readonly Omit<NewEvent, 'bot'>[];
  /** Written durably once the action has been done. */
  readonly write: Recorded | undefined;
  /** Look again then at the latest, milliseconds; undefined: when something changes. */
  readonly lookAt: number | undefined;
  /** Why the bot is where it is: its condition `Ready`. */
  readonly ready: Reason;
}

export interface Reason {
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export type StepEvent = Step['events'][number];

export function step(action: Action, ready: Reason, rest: Partial<Step> = {}): Step {
  return { action, ready, events: [], write: undefined, lookAt: undefined, ...rest };
}

export function record(write: Recorded, ready: Reason, ...events: StepEvent[]): Step {
  return step({ type: 'record' }, ready, { write, events });
}

export function wait(ready: Reason, lookAt?: number): Step {
  return step({ type: 'nothing' }, ready, { lookAt });
}

const GATE_MS = 1_000;

/** For what keeps it from being started to go away. */
export function waitAt(gate: ClosedGate, now: number): Step {
  return wait(because(gate.reason, gate.message), gate.isTold ? undefined : now + GATE_MS);
}

export const because = (reason: string, message: string): Reason => ({ status: false, reason, message });
