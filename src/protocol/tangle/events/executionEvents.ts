import type { Logger } from '../../../base/log.ts';
import type { Call } from '../http/route.ts';
import { emit } from './emit.ts';
import type { EventBus } from './eventBus.ts';

/** Calls that start something inside: what they are of, in the words of `execution.started`. */
const STARTS: readonly (readonly [RegExp, string])[] = [
  [/^\/terminals\/commands\/?$/, 'command'],
  [/^\/process\/spawn\/?$/, 'process'],
];

/**
 * Tells a sandbox's stream that a command begins, and how its call has ended, under the id of the call (`x-request-id`). What the command has come to is
 * in its own answer: a call that is `execution.completed` may be of a command that has failed.
 */
export function executionEvents(
  { bus, log }: { readonly bus: EventBus; readonly log: Logger },
  sandboxId: string,
  path: string,
  call: Pick<Call, 'id' | 'method' | 'response'>,
): Disposable {
  const kind = STARTS.find(([pattern]) => pattern.test(path))?.[1];
  if (kind === undefined || call.method !== 'POST') return { [Symbol.dispose]: () => undefined };
  const stream = bus.of('sandboxes', sandboxId);
  const own = { sandboxId, executionId: call.id, kind };
  emit(stream, log, { type: 'execution.started', data: own });
  return {
    [Symbol.dispose]: () => {
      const { statusCode, writableFinished } = call.response;
      const isDone = writableFinished && statusCode < 400;
      const data = { ...own, status: writableFinished ? statusCode : undefined };
      emit(stream, log, { type: isDone ? 'execution.completed' : 'execution.failed', data });
    },
  };
}
