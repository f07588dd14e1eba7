import { asRuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { encodeFrame } from '../events/storedEvent.ts';
import { HttpError } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { mustHaveAgent } from '../sessions/sessionRoutes.ts';
import { type Batch, readBatch, type Task } from './readBatch.ts';

/** Clients keep nothing of an event between two reads: each has to come in one, so it is short. */
const MOST_ERROR = 500;
const COMMENT_MS = 15_000;
/** How long a sandbox of a task may take until it runs. Milliseconds. */
const START_MS = 120_000;

/** `POST /batch/run`: messages to agents, several at once; what becomes of each, as it ends. Whoever goes away ends those that are under way. */
export function batchRoutes(parts: Parts): Route[] {
  return (['/batch/run', '/v1/sandboxes/batch/run'] as const).map((path) => ({
    method: 'POST',
    path,
    scope: 'sessions',
    handle: async (call) => await runBatch(parts, call, readBatch(await call.body())),
  }));
}

async function runBatch(parts: Parts, call: Call, batch: Batch): Promise<undefined> {
  const { response, signal } = call;
  if (batch.sandboxId !== undefined) mustHaveAgent(sandboxOf(parts, call, batch.sandboxId));
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.setTimeout(0);
  const beat = setInterval(() => response.write(': alive\n\n'), COMMENT_MS);
  const counts = { completed: 0, failed: 0 };
  const waiting = [...batch.tasks];
  const worker = async () => {
    for (let task = waiting.shift(); task !== undefined && !signal.aborted; task = waiting.shift()) {
      const startedAt = parts.clock.now();
      const told = await runTask(parts, call, batch, task).catch((error: unknown) => ({
        error: asRuntimeError(error).message.slice(0, MOST_ERROR),
      }));
      const isFailed = 'error' in told;
      counts[isFailed ? 'failed' : 'completed'] += 1;
      const data = { taskId: task.id, durationMs: parts.clock.now() - startedAt, retries: 0, ...told };
      response.write(encodeFrame({ type: isFailed ? 'task.failed' : 'task.completed', data }));
    }
  };
  try {
    await Promise.all(Array.from({ length: batch.atOnce }, worker));
    response.write(encodeFrame({ type: 'batch.completed', data: counts }));
  } finally {
    clearInterval(beat);
    response.end();
  }
}

function sandboxOf(parts: Parts, call: Call, id: string) {
  return findOwn(parts.sandboxes, { ...call, params: { id } });
}

async function runTask(parts: Parts, call: Call, batch: Batch, task: Task): Promise<object> {
  const { sandboxes, sessions, maker } = parts;
  const limit = AbortSignal.timeout(task.timeoutMs);
  const signal = AbortSignal.any([call.signal, limit]);
  const made = batch.wanted && (await maker.make(batch.wanted, call.caller));
  const sandbox = made ?? sandboxOf(parts, call, batch.sandboxId ?? '');
  const session = sessions.create({
    id: undefined,
    owner: call.caller.name,
    sandbox: sandbox.id,
    ownsSandbox: made !== undefined,
    metadata: { task: task.id },
  });
  const isKept = batch.isPersistent || made === undefined;
  try {
    mustHaveAgent(sandbox);
    if (made)
      await sandboxes.until(made.id, ['running'], AbortSignal.any([signal, AbortSignal.timeout(START_MS)]));
    const sent = sessions.send(session, { key: undefined, message: task.message, metadata: {} });
    const over = whenAborted(signal).then(() =>
      Promise.reject(new HttpError(408, 'TIMEOUT', 'its time was over')),
    );
    over.catch(() => undefined);
    const { id } = await Promise.race([sent, over]);
    const { status, result } = await sessions.ended(session.id, id, signal).catch(async (error: unknown) => {
      await sessions.cancel(session, id).catch(() => undefined);
      throw limit.aborted ? new HttpError(408, 'TIMEOUT', `not done within ${task.timeoutMs} ms`) : error;
    });
    const where = { sandboxId: sandbox.id, sessionId: session.id, executionId: id };
    if (status !== 'completed')
      return { ...where, error: (result?.error?.message ?? status).slice(0, MOST_ERROR) };
    const { inputTokens = 0, outputTokens = 0 } = result?.tokenUsage ?? {};
    return { ...where, tokensUsed: inputTokens + outputTokens };
  } finally {
    if (!isKept) await sessions.remove(session).catch(() => undefined);
  }
}
