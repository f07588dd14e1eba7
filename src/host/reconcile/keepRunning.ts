import { isSameSpec } from '../bots/isSameSpec.ts';
import { names } from '../bots/names.ts';
import type { Instance } from '../engine/engine.ts';
import { countEnd } from './countEnd.ts';
import { endInstance } from './endInstance.ts';
import { without } from './recorded.ts';
import type { SeenPresent } from './situation.ts';
import { because, record, type Step, step, wait, waitAt } from './step.ts';

/** A realtime bot: one instance, the one that is wanted, running for as long as it is wanted. */
export function keepRunning(seen: SeenPresent): Step {
  const { bot, instances, wanted } = seen;
  const name = names.bot(bot);
  const stray = instances.find(
    (one) => one.name !== name && (one.state === 'running' || one.state === 'leaving'),
  );
  if (stray !== undefined) return endInstance(seen, stray, 'it is not the instance of this bot');
  const instance = instances.find((one) => one.name === name);
  if (seen.recorded.restartAsked !== undefined && instance?.state !== 'running')
    return record(without(seen.recorded, 'restartAsked'), because('Starting', 'the next start is a new one'));
  if (instance?.state === 'ended') return afterEnd(seen, instance);
  if (!wanted.spec.enabled) {
    if (instance !== undefined) return endInstance(seen, instance, 'it is disabled');
    return seen.recorded.stopping === undefined
      ? wait(because('Disabled', 'it is disabled'))
      : record(without(seen.recorded, 'stopping'), because('Disabled', 'it is disabled'));
  }
  if (instance === undefined) return startNew(seen);
  if (instance.state === 'leaving') return wait(because('Stopping', 'being removed'), seen.now + 1_000);
  return instance.state === 'created' ? startCreated(seen, instance) : watchOver(seen, instance);
}

function afterEnd(seen: SeenPresent, instance: Instance): Step {
  const { bot, recorded, wanted, now } = seen;
  const ready = because('Ended', `ended with exit code ${instance.exitCode ?? 'unknown'}`);
  if (recorded.ended?.id !== instance.id) {
    const { write, events } = countEnd(recorded, instance, wanted.spec.restart, now, seen.toldToEnd);
    return record(write, ready, ...events);
  }
  const to = names.ended(bot, instance.endedAt ?? now);
  return step({ type: 'retire', name: instance.name, to }, ready);
}

function startNew(seen: SeenPresent): Step {
  const { recorded, wanted, now, gates } = seen;
  // Whatever was being stopped is gone, and was not seen to end.
  if (recorded.stopping !== undefined)
    return record(without(recorded, 'stopping'), because('Starting', 'the instance before is gone'));
  if (gates.owner === 'elsewhere' && gates.start !== undefined) return waitAt(gates.start, now);
  const { held, retryAt } = recorded;
  if (held !== undefined && (wanted.hash === undefined || held.hash === wanted.hash)) {
    // Only the hash says whether something has changed.
    if (wanted.hash === undefined) return prepare();
    return wait(because(held.reason, held.message));
  }
  // A pause that is longer than any was begun before the clock was set back, or with another `backoff`.
  const waits = retryAt !== undefined && now < retryAt && retryAt - now <= wanted.spec.restart.longestMs;
  if (waits && held === undefined) {
    const message = `started again after ${recorded.failures} failures in a row: ${recorded.ended?.reason ?? 'not known'}`;
    return wait(because('BackOff', message), retryAt);
  }
  if (gates.start !== undefined) return waitAt(gates.start, now);
  if (wanted.hash === undefined) return prepare();
  const { current } = recorded;
  const ready = because('Starting', 'being created');
  if (current?.hash !== wanted.hash) {
    const made = { hash: wanted.hash, spec: wanted.spec, base: wanted.base };
    // With another image alone there is nothing of the bot's own to go back to.
    const kept = current === undefined || isSameSpec(current.spec, wanted.spec) ? {} : { previous: current };
    // A new hash begins with a clean slate.
    return record({ ...without(recorded, 'held', 'retryAt'), failures: 0, ...kept, current: made }, ready);
  }
  return step({ type: 'create' }, ready, {
    events: [{ type: 'created', message: 'created', facts: { hash: wanted.hash } }],
  });
}

const prepare = () => step({ type: 'prepare' }, because('Preparing', 'image and code are being fetched'));

function startCreated(seen: SeenPresent, instance: Instance): Step {
  const { recorded, wanted, now, gates } = seen;
  const ready = because('Starting', instance.error ?? 'being started');
  if (gates.owner === 'elsewhere') return step({ type: 'remove', name: instance.name }, ready);
  if (wanted.hash === undefined) return prepare();
  // One whose wave has not come is started as it is, like those that run.
  if (instance.hash !== wanted.hash && gates.replace)
    return step({ type: 'remove', name: instance.name }, ready);
  if (gates.start !== undefined) return waitAt(gates.start, now);
  const restarted = recorded.failures > 0;
  return step({ type: 'start', name: instance.name }, ready, {
    events: [
      {
        type: restarted ? 'restarting' : 'started',
        message: restarted ? `started again after ${recorded.failures} failures` : 'started',
        facts: restarted
          ? { instance: instance.name, reason: recorded.ended?.reason ?? 'unknown' }
          : { instance: instance.name },
      },
    ],
  });
}

function watchOver(seen: SeenPresent, instance: Instance): Step {
  const { recorded, wanted, now, gates } = seen;
  const startedAt = instance.startedAt ?? instance.createdAt;
  if (recorded.stopping?.id === instance.id) return endInstance(seen, instance, recorded.stopping.why);
  // Written down with the stop that it becomes: whose clock says what of its start does not matter.
  if (recorded.restartAsked !== undefined)
    return endInstance(
      { ...seen, recorded: without(recorded, 'restartAsked') },
      instance,
      'a restart was asked for',
    );
  if (gates.leave !== undefined) return endInstance(seen, instance, gates.leave);
  const replaced = changed(seen, instance, startedAt);
  if (replaced !== undefined) return replaced;
  if (instance.startedAt === undefined)
    return wait(because('Starting', instance.error ?? 'being started by the engine'));
  const { failures } = recorded;
  const goodAt = startedAt + wanted.spec.restart.resetMs;
  if (failures > 0 && now >= goodAt) return record({ ...recorded, failures: 0 }, running(startedAt));
  return wait(running(startedAt), failures > 0 ? goodAt : undefined);
}

/** What to do because it is made of something else than what is wanted now; undefined: it is not. */
function changed(seen: SeenPresent, instance: Instance, startedAt: number): Step | undefined {
  const { wanted, now, gates } = seen;
  // Not before what replaces it is here: an older instance that runs is better than none.
  if (wanted.hash === undefined) return prepare();
  // A sandbox is somebody's place of work: whatever has changed is for its next start.
  if (instance.hash === wanted.hash || wanted.spec.sandbox !== undefined) return undefined;
  if (gates.replace) return endInstance(seen, instance, 'what it is made of has changed');
  const waitsFor = gates.start === undefined ? 'for its wave' : `because it would be ${gates.start.message}`;
  return wait({ ...running(startedAt), message: `runs; a change waits ${waitsFor}` }, now + 1_000);
}

function running(startedAt: number) {
  return { status: true, reason: 'Running', message: `runs since ${new Date(startedAt).toISOString()}` };
}
