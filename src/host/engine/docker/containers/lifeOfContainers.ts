import { isRuntimeError, RuntimeError } from '../../../../base/errors.ts';
import type { Engine } from '../../engine.ts';
import type { DockerContext } from '../dockerContext.ts';
import type { ContainerDetails } from './container.ts';
import { findContainer } from './findContainer.ts';
import { stateOf } from './toInstance.ts';
import { untilItListens } from './untilItListens.ts';

/** A start makes namespaces, mounts and a network; on a busy machine that takes seconds. Milliseconds. */
const START_MS = 60_000;
const REMOVE_MS = 60_000;

/** From `created` to gone. Each looks first, and then acts on what it has seen, by id. */
export function lifeOfContainers(
  context: DockerContext,
): Required<Pick<Engine, 'start' | 'stop' | 'kill' | 'wake' | 'retire' | 'remove'>> {
  const { client } = context;
  const find = (op: string, name: string, signal: AbortSignal) => findContainer(context, op, name, signal);

  const act = (op: string, container: ContainerDetails, action: string, signal: AbortSignal) => {
    const subject = container.Name.slice(1);
    const path = `/containers/${container.Id}/${action}`;
    return client.call({ op, subject, method: 'POST', path, signal, timeoutMs: START_MS });
  };

  /** A paused process gets no signal, and the engine refuses to send one. */
  const signalTo = async (op: string, name: string, which: string, signal: AbortSignal) => {
    const container = await find(op, name, signal);
    if (!container || stateOf(container.State.Status) !== 'running') return;
    try {
      if (container.State.Paused) await act(op, container, 'unpause', signal);
      if (which === 'SIGTERM') await untilItListens(context, container, signal);
      await act(op, container, `kill?signal=${which}`, signal);
    } catch (error) {
      // It has ended meanwhile, or has gone.
      if (!isRuntimeError(error, 'conflict', 'not-found')) throw error;
    }
  };

  return {
    async start(name, signal) {
      const container = await find('engine.start', name, signal);
      if (!container) throw missing('engine.start', name);
      if (stateOf(container.State.Status) !== 'created')
        throw inAnotherState('engine.start', name, container.State.Status);
      // 304, it runs already, is a conflict as well: somebody else has started it.
      await act('engine.start', container, 'start', signal);
    },

    async stop(name, _graceMs, signal) {
      await signalTo('engine.stop', name, 'SIGTERM', signal);
      // A supervisor that its bot, the same user, has stopped would not see it.
      await signalTo('engine.stop', name, 'SIGCONT', signal);
    },
    wake: (name, signal) => signalTo('engine.wake', name, 'SIGCONT', signal),
    kill: (name, signal) => signalTo('engine.kill', name, 'SIGKILL', signal),

    async retire(name, to, signal) {
      const container = await find('engine.retire', name, signal);
      if (!container) {
        if (await find('engine.retire', to, signal)) return;
        throw missing('engine.retire', name);
      }
      if (stateOf(container.State.Status) === 'running')
        throw inAnotherState('engine.retire', name, container.State.Status);
      await act('engine.retire', container, `rename?name=${encodeURIComponent(to)}`, signal);
    },

    async remove(name, signal) {
      const container = await find('engine.remove', name, signal);
      if (!container) return;
      if (stateOf(container.State.Status) === 'running')
        throw inAnotherState('engine.remove', name, container.State.Status);
      const path = `/containers/${container.Id}`;
      const request = { op: 'engine.remove', subject: name, path, query: { v: '1' }, signal } as const;
      try {
        await client.call({ ...request, method: 'DELETE', timeoutMs: REMOVE_MS });
      } catch (error) {
        if (!isRuntimeError(error, 'not-found')) throw error;
      }
    },
  };
}

function missing(op: string, name: string): RuntimeError {
  return new RuntimeError('not-found', `${name}: no such container of this host`, { op, path: name });
}

function inAnotherState(op: string, name: string, status: string): RuntimeError {
  return new RuntimeError('conflict', `${name}: the container is ${status}`, { op, path: name });
}
