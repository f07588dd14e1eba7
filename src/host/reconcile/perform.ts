import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Engine, InstanceSpec } from '../engine/engine.ts';
import type { Instances } from '../instances/instances.ts';
import type { NewEvent } from '../journal/event.ts';
import { without } from './recorded.ts';
import type { Records } from './records.ts';
import type { Rollbacks } from './rollbacks.ts';
import { finishRun } from './runResult.ts';
import type { Present, Situation } from './situation.ts';
import type { Step } from './step.ts';

/** What a step is done with. */
export interface Hands {
  readonly engine: Engine;
  readonly instances: Instances;
  readonly records: Records;
  readonly rollbacks: Rollbacks;
  readonly tell: (event: NewEvent) => void;
}

/**
 * Does one step: the action, then its events, then its record. An event may be told twice by a host that is killed here, and is
 * never left out for something that is recorded.
 */
export async function perform(
  step: Step,
  situation: Situation,
  hands: Hands,
  signal: AbortSignal,
): Promise<void> {
  const { bot } = situation;
  try {
    await act(step, situation, hands, signal);
  } catch (error) {
    const { claim } = situation.recorded;
    if (error instanceof NameTaken && step.action.type === 'create-run' && claim !== undefined) {
      // The other one has run it, or will. Once that has gone and the name is free, it would be run here as well.
      return await write(finishRun(situation, claim, undefined, error.message), bot, hands);
    }
    if (step.action.type !== 'publish-again' || !isRuntimeError(error, 'not-found', 'damaged')) throw error;
    // Trying again gives nothing else, and nothing has been changed yet: the bot goes on as it was.
    const { sequence } = step.action.rollback;
    const message = `not rolled back: ${error.message}`;
    hands.tell({ type: 'failed', bot, message, facts: { sequence, code: error.code } });
    return await hands.records.put(bot, without(situation.recorded, 'rollback'));
  }
  await write(step, bot, hands);
}

async function write({ events, write }: Step, bot: string, { tell, records }: Hands): Promise<void> {
  for (const event of events) tell({ ...event, bot });
  if (write !== undefined) await records.put(bot, write);
}

async function act({ action }: Step, situation: Situation, hands: Hands, signal: AbortSignal): Promise<void> {
  const { engine, instances, records, rollbacks } = hands;
  switch (action.type) {
    case 'nothing':
    case 'record':
      return;
    case 'prepare':
      return instances.prepare(present(situation).spec, signal);
    case 'create':
      await instances.hold?.(present(situation).spec);
      return create(engine, await instances.bot(present(situation).spec, signal), signal);
    case 'create-run':
      return create(engine, await instances.run(present(situation).spec, action.time, signal), signal);
    case 'start':
      // Made before this machine was started anew.
      await instances.hold?.(present(situation).spec);
      return engine.start(action.name, signal);
    case 'stop':
      return engine.stop(action.name, action.graceMs, signal);
    case 'kill':
      return engine.kill(action.name, signal);
    case 'retire':
      return engine.retire(action.name, action.to, signal);
    case 'remove':
      return engine.remove(action.name, signal);
    case 'publish-again':
      return rollbacks.publish(situation.bot, action.rollback, signal);
    case 'want':
      return rollbacks.want(action.spec);
    case 'forget':
      return records.forget(situation.bot);
  }
}

/** A name that is taken by an instance of ours is this very instance, made by a host that was killed. */
async function create(engine: Engine, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  try {
    await engine.create(spec, signal);
  } catch (error) {
    if (!isRuntimeError(error, 'conflict')) throw error;
    if ((await engine.inspect(spec.name, signal)) !== undefined) return;
    if (await engine.isTaken(spec.name, signal)) throw new NameTaken(spec.name, error);
    // It has gone meanwhile, or the engine meant something else: once more.
    throw error;
  }
}

class NameTaken extends RuntimeError {
  constructor(name: string, cause: unknown) {
    super('conflict', `the name ${name} is taken by something that is not ours`, {
      op: 'engine.create',
      path: name,
      hint: 'Another host runs this bot, or somebody made a container of this name. It is left alone.',
      cause,
    });
  }
}

function present({ wanted }: Situation): Present {
  if (wanted.type === 'present') return wanted;
  throw new RuntimeError('internal', `a ${wanted.type} bot was to be started`);
}
