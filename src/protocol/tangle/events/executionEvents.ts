import type { Logger } from '../../../base/log.ts';
import type { Call } from '../http/route.ts';
import { emit } from './emit.ts';
import type { EventBus } from './eventBus.ts';

/** Of a command that was waited for. */
const EXIT_CODE = 'x-exit-code';

/** Calls that start something inside: what they are of, in the words of `execution.started`. */
const STARTS: readonly (readonly [RegExp, string])[] = [
  [/^\/terminals\/commands\/?$/, 'command'],
  [/^\/process\/run-code\/?$/, 'code'],
  [/^\/process\/spawn\/?$/, 'process'],
];

/**
 * Tells a sandbox's stream that a command begins, and how its call has ended, under the id of the call (`x-request-id`). A call that is
 * `execution.completed` may be of a command that has failed: `exitCode` says so.
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
      const status = writableFinished ? statusCode : undefined;
      const data = { ...own, status, exitCode: exitCodeOf(call.response) };
      emit(stream, log, { type: isDone ? 'execution.completed' : 'execution.failed', data });
    },
  };
}

/** As the box says it: whoever is inside may have said it in its place. */
function exitCodeOf(response: Call['response']): number | undefined {
  const text = String(response.getHeader(EXIT_CODE) ?? '');
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
