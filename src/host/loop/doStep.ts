import { isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import { names } from '../bots/names.ts';
import { type Hands, perform } from '../reconcile/perform.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Action, Step } from '../reconcile/step.ts';
import type { EngineView } from './engineView.ts';
import { type Slots, slotOf } from './slots.ts';
import type { StoreGate } from './storeGate.ts';

export interface Observation {
  readonly action: Action['type'];
  readonly seconds: number;
  readonly ok: boolean;
}

export interface DoStep {
  readonly hands: Hands;
  readonly view: EngineView;
  readonly slots: Slots;
  readonly store: StoreGate;
  readonly now: () => number;
  readonly situation: (bot: string) => Situation;
  readonly observe: (what: Observation) => void;
}

/**
 * Does a step in its slot, and looks at what it has made of the instance. `changed`: nothing was done, because the situation has
 * changed meanwhile. Throws what the engine or the store throw.
 */
export async function doStep(
  step: Step,
  before: Situation,
  deps: DoStep,
  signal: AbortSignal,
): Promise<'done' | 'changed'> {
  const slot = slotOf(step.action);
  if (slot === undefined) return act(step, before, deps, signal);
  const give = await deps.slots.take(slot, step.action.type === 'start');
  try {
    // Much may have changed while it waited.
    const now = deps.situation(before.bot);
    const again = reconcile(now);
    return slotOf(again.action) === slot ? await act(again, now, deps, signal) : 'changed';
  } finally {
    give();
  }
}

async function act(
  step: Step,
  before: Situation,
  deps: DoStep,
  signal: AbortSignal,
): Promise<'done' | 'changed'> {
  const { view, store } = deps;
  const { bot } = before;
  const { action } = step;
  if (losesRun(step, before)) {
    // The last word on whether an instance is gone is the engine's, asked now.
    await view.refresh([names.run(bot, before.recorded.claim!.time)], signal);
    if (!losesRun(reconcile(deps.situation(bot)), deps.situation(bot))) return 'changed';
  }
  const began = performance.now();
  let ok = false;
  try {
    await perform(step, before, deps.hands, signal);
    if (needsStore(action)) store.answered();
    ok = true;
    return 'done';
  } catch (error) {
    if (needsStore(action) && isRuntimeError(error, 'unavailable') && !isOfThisMachine(error))
      store.failed(deps.now());
    throw error;
  } finally {
    deps.observe({ action: action.type, seconds: (performance.now() - began) / 1000, ok });
    // Also after a failure: the engine may have done it all the same.
    if (!signal.aborted) await view.refresh(namesOf(bot, action), signal).catch(() => undefined);
  }
}

export function needsStore({ type }: Action): boolean {
  return ['prepare', 'create', 'create-run', 'publish-again'].includes(type);
}

/** The engine, or a disk of the bot's own: all others go on. */
const isOfThisMachine = ({ op = '' }: RuntimeError) => op.startsWith('engine.') || op.startsWith('disk.');

/** The step would say of a run that its instance is gone. */
function losesRun({ write }: Step, { recorded, instances }: Situation): boolean {
  const time = recorded.claim?.time;
  const isLost = time !== undefined && write?.lastRun?.outcome === 'lost' && write.lastRun.time === time;
  return isLost && instances?.some(({ run }) => run === time) === false;
}

function namesOf(bot: string, action: Action): string[] {
  switch (action.type) {
    case 'create':
      return [names.bot(bot)];
    case 'create-run':
      return [names.run(bot, action.time)];
    case 'start':
    case 'stop':
    case 'kill':
    case 'remove':
      return [action.name];
    case 'retire':
      return [action.name, action.to];
    default:
      return [];
  }
}
