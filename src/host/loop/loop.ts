import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Engine } from '../engine/engine.ts';
import type { Instances } from '../instances/instances.ts';
import type { Condition } from '../journal/condition.ts';
import type { Journal } from '../journal/event.ts';
import type { Owner, Owners } from '../owners/owners.ts';
import type { Recorded } from '../reconcile/recorded.ts';
import type { Records } from '../reconcile/records.ts';
import type { Rollbacks } from '../reconcile/rollbacks.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Step } from '../reconcile/step.ts';
import type { DiskUse } from './diskUse.ts';
import type { Observation } from './doStep.ts';
import type { EngineView } from './engineView.ts';
import type { HostFull } from './hostFull.ts';
import type { SlotLimits, Slots } from './slots.ts';
import type { LoopObserver } from './sourceObserver.ts';
import type { Timers } from './wakeups.ts';
import type { WantedView } from './wantedView.ts';
import type { Waves } from './waves.ts';
import type { WavesFile } from './wavesFile.ts';

/**
 * The room of the loop: it looks at each bot when something of it may have changed, has `reconcile` decide, and does that.
 *
 *   1. What is wanted (`wantedView`, told by `sourceObserver`; `massDelete` doubts a listing that lost half of it, `underItsName`
 *      knows a broken file again), what is seen (`engineView`), what is recorded (`openRecords`, on disk before anything that must
 *      not happen twice).
 *   2. `wakeups` says which bot is looked at when: after an event, after a wait, at a scheduled time.
 *   3. `gates` say what may not happen now: another host has the bot (`Owners`), the host is full (`hostFull`; `diskUse` says by whom), the store is away (`storeGate`), the wave has not come
 *      (`waves`, which outlive the host in `wavesFile`).
 *   4. `lookAtBot` has `reconcile` decide and `doStep` do one step, as one of a limited number (`slots`), until there is nothing to do.
 *   5. `conditionsOf` says what is true of it, and since when (`conditions`).
 */

export interface LoopOptions {
  readonly engine: Engine;
  readonly instances: Instances;
  readonly records: Records;
  readonly rollbacks: Rollbacks;
  /** Bots whose record cannot be read, and why: nothing is done about them. */
  readonly damaged: ReadonlyMap<string, string>;
  readonly waves: WavesFile;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly slots: SlotLimits;
  readonly allowMassDelete: boolean;
  /** Which bots this host looks after: `--only`. None: it starts and stops nothing. */
  readonly types: ReadonlySet<'realtime' | 'scheduled'>;
  readonly hostFull: HostFull;
  readonly diskUse: DiskUse;
  /** Undefined: no other host has any of these bots. */
  readonly owners?: Owners | undefined;
  /** What the last instance of a bot has left about its end: it came after a SIGTERM. */
  readonly saysStopped?: (bot: string) => boolean;
  /** In [0, 1). */
  readonly random: () => number;
  readonly draining: boolean;
  /** How long an instance has run when the next wave may begin. */
  readonly readyAfterMs: number;
  readonly observe: (what: Observation) => void;
}

/** One bot as the loop sees it. */
export interface BotState extends Omit<Situation, 'gates'> {
  readonly conditions: readonly Condition[];
  readonly ready: Step['ready'] | undefined;
}

export interface Loop {
  readonly observer: LoopObserver;
  readonly engine: EngineView;
  readonly wanted: WantedView;
  readonly slots: Slots;
  readonly waves: Waves;
  draining: boolean;
  /** Those that this host looks after. */
  bots(): readonly string[];
  state(bot: string): BotState;
  owner(bot: string): Owner;
  /** Writes down what an operator asks of a bot, between two of its steps, and looks at it. */
  ask(bot: string, change: (recorded: Recorded) => Recorded): Promise<void>;
  wake(bot: string): void;
  /** Called whenever a bot was looked at and something of it may be other than before. */
  onChange(listener: (bot: string) => void): () => void;
  /** Looks after all bots until the signal. Stops none of them. */
  run(signal: AbortSignal): Promise<void>;
}
