import { asRuntimeError } from '../../base/errors.ts';
import type { NewEvent } from '../journal/event.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Step } from '../reconcile/step.ts';
import { type DoStep, doStep, needsStore } from './doStep.ts';
import type { LoopOptions } from './loop.ts';
import type { StoreGate } from './storeGate.ts';
import { isOurs } from './wantedView.ts';
import type { Waves } from './waves.ts';
import { forgetErrors, mustWait, noteDone, noteError, runsSince, type Work } from './work.ts';

export interface LookAtBot
  extends Pick<LoopOptions, 'clock' | 'damaged' | 'random' | 'readyAfterMs' | 'records' | 'types'> {
  readonly deps: DoStep;
  readonly store: StoreGate;
  readonly waves: Waves;
  /** Resolves when what is known of the waves has been written. */
  readonly wavesWritten: () => Promise<void>;
  readonly situation: (bot: string) => Situation;
  /** The look is over: the next one is at `lookAt`, milliseconds since the epoch, or when something of the bot changes. */
  readonly settle: (bot: string, own: Work, lookAt: number | undefined) => void;
  /** Nothing is left of the bot. */
  readonly drop: (bot: string) => void;
  /** Something of it has changed. */
  readonly notice: (bot: string, own: Work) => void;
  readonly tell: (event: NewEvent) => void;
}

/** Steps until there is nothing to do for this bot now. A step that fails ends the look; the bot is looked at again after a wait. */
export async function lookAtBot(bot: string, own: Work, look: LookAtBot, signal: AbortSignal): Promise<void> {
  const { clock, deps, settle, situation, store, tell } = look;
  const damage = look.damaged.get(bot);
  if (damage !== undefined) {
    own.again = false;
    own.ready = { status: false, reason: 'RecordDamaged', message: `left alone: ${damage}` };
    return settle(bot, own, undefined);
  }
  while (!signal.aborted) {
    own.again = false;
    await writeAsked(bot, own, look);
    const before = situation(bot);
    if (!isOurs(before.wanted, look.types)) return;
    const step = reconcile(before);
    const { now } = before;
    own.ready = step.ready;
    if (step.action.type === 'nothing') {
      if (before.instances !== undefined && before.wanted.type !== 'unknown') forgetErrors(own);
      return settle(
        bot,
        own,
        step.ready.reason === 'Running' ? noteReady(before, step, own, look) : step.lookAt,
      );
    }
    if (mustWait(own, now)) return settle(bot, own, Math.min(own.retryAt, step.lookAt ?? own.retryAt));
    if (needsStore(step.action) && !store.mayAsk(now)) {
      own.ready = { status: false, reason: 'StoreAway', message: 'not started: the store does not answer' };
      return settle(bot, own, now + 1_000);
    }
    try {
      // Who has been let through is known before it ends: the next life of the host lets nobody through in its place.
      await look.wavesWritten();
      const done = await doStep(step, before, deps, signal);
      if (done === 'done' && step.action.type === 'forget') return look.drop(bot);
      noteDone(own, step);
      look.notice(bot, own);
    } catch (error) {
      if (signal.aborted) return;
      const known = asRuntimeError(error);
      if (noteError(own, step, known, clock.now(), look.random())) {
        const message = `${step.action.type}: ${known.message}`;
        tell({ type: 'failed', bot, message, facts: { code: known.code } });
      }
      return settle(bot, own, own.retryAt);
    }
  }
}

/** What has only just been started may still fail: it is ready for its wave a little later. When to look again. */
function noteReady(
  { bot, instances: live, recorded, now }: Situation,
  { lookAt }: Step,
  own: Work,
  { readyAfterMs, waves }: LookAtBot,
): number | undefined {
  const readyAt = runsSince(own, live, now) + readyAfterMs;
  if (now < readyAt) return Math.min(readyAt, lookAt ?? readyAt);
  waves.ready(bot, recorded.current?.hash ?? '');
  return lookAt;
}

/** What an operator has asked for meanwhile. */
async function writeAsked(bot: string, own: Work, { records }: LookAtBot): Promise<void> {
  for (let one = own.asked.shift(); one !== undefined; one = own.asked.shift()) {
    try {
      await records.put(bot, one.change(records.get(bot)));
      forgetErrors(own);
      one.done();
    } catch (error) {
      one.failed(error);
    }
  }
}
