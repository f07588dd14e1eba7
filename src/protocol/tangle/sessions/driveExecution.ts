import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import { readWhole } from '../../../base/httpAnswer.ts';
import type { Logger } from '../../../base/log.ts';
import { QUERY_PORT } from '../../../host/engine/queryPort.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { EventLog } from '../events/eventLog.ts';
import { newestOf } from '../events/newestOf.ts';
import { parseEvents } from '../events/parseEvents.ts';
import type { NewEvent } from '../events/storedEvent.ts';
import { HttpError } from '../http/httpError.ts';
import { callInside } from '../runtime/callInside.ts';
import type { Execution, ExecutionResult, Session } from './session.ts';
import { failed, NOTHING, resultOf, type Source, statusOf, translate } from './translate.ts';

export interface Driving {
  readonly sandboxes: Sandboxes;
  readonly session: Pick<Session, 'id' | 'sandbox'>;
  readonly execution: Execution;
  /** Of the session; and of its sandbox, which is told when executions begin and end. */
  readonly logs: { readonly session: EventLog; readonly sandbox: EventLog };
  /** An earlier life of this server has begun with it. */
  readonly isResumed: boolean;
  /** The agent has it. */
  readonly onAccepted: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface DrivenTo {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly result: ExecutionResult | undefined;
}

const WAITS = { firstMs: 100, longestMs: 3000 };
/** How long an agent that starts is waited for, before it has the message. Milliseconds. */
const START_MS = 20_000;
/** After this an agent may have forgotten the key under which it was told: told again, it would do it again. */
const KEY_MS = 20 * 3_600_000;
const TOUCH_MS = 30_000;
const MOST_ERROR_BYTES = 64 * 1024;
/** The longest that an agent tells is its reply of 4 MiB, in JSON. Characters. */
const MOST_EVENT = 32 * 2 ** 20;

/**
 * Brings a message to the agent, and what that says of it to the session's stream, until `done` is there. The agent is told the same under
 * the same key each time, and its events have numbers: whatever dies in between, the message is answered once and each event is told once.
 * Throws `HttpError` where the agent does not take the message, and the signal's reason.
 */
export async function driveExecution(driving: Driving): Promise<DrivenTo> {
  const { sandboxes, session, execution, logs, isResumed, clock, signal } = driving;
  const source: Source = { sessionId: session.id, executionId: execution.id, sandboxId: session.sandbox };
  const isOurs = ({ data }: NewEvent) => data.executionId === execution.id;
  const last = isResumed ? newestOf(logs.session, execution.id, isOurs)?.data : undefined;
  let seq = Number(last?._seq ?? 0);
  let turn = typeof last?._turn === 'string' ? last._turn : undefined;
  let isAccepted = turn !== undefined;
  const accepted = () => {
    if (!isAccepted) driving.onAccepted();
    isAccepted = true;
  };
  /** The agent may have it: then what becomes of it is told, and it is not as if it had never been. */
  const isTheirs = () => isAccepted || isResumed;
  const startedAt = clock.now();

  const tell = async (events: readonly NewEvent[]) => {
    const shown = events.filter(({ type }) => type.startsWith('execution.'));
    const known = isResumed && shown.length > 0 ? logs.sandbox.newest().filter(isOurs) : [];
    const fresh = shown.filter(({ type }) => !known.some((event) => event.type === type));
    if (fresh.length > 0) await keep(driving, logs.sandbox, fresh);
    if (events.length > 0) await keep(driving, logs.session, events);
  };
  const fail = async (code: string, message: string): Promise<DrivenTo> => {
    const error = { code, message };
    await tell(failed(source, error));
    return { status: 'failed', result: { ...NOTHING, error } };
  };

  /** One connection. Undefined: it has ended before the turn has. */
  const listen = async (answer: IncomingMessage): Promise<DrivenTo | undefined> => {
    for await (const event of parseEvents(answer as AsyncIterable<Buffer>, MOST_EVENT)) {
      if (event.type === 'start' && isName(event.data.id)) turn = event.data.id;
      if (turn === undefined || event.id === undefined || event.id <= seq) continue;
      await tell(translate(source, event, turn));
      seq = event.id;
      accepted();
      if (event.type === 'end') return { status: statusOf(event.data), result: resultOf(event.data) };
    }
    return undefined;
  };

  const before = last === undefined ? undefined : endOf(logs.session, execution.id);
  if (before !== undefined) return before;
  sandboxes.touch(session.sandbox);
  const busy = setInterval(() => sandboxes.touch(session.sandbox), TOUCH_MS);
  try {
    for (let failures = 0; ; failures += 1) {
      signal.throwIfAborted();
      if (failures > 0) await clock.sleep(growingWait(WAITS, failures), signal);
      if (turn === undefined && clock.now() - execution.createdAt > KEY_MS)
        return await fail('interrupted', 'the server was away for too long to know what became of it');
      const isRunning = ['pending', 'provisioning', 'running'].includes(
        sandboxes.find(session.sandbox)?.status ?? '',
      );
      if (!isRunning && isTheirs()) return await fail('interrupted', 'the sandbox was stopped');
      if (!isRunning) throw new HttpError(409, 'INVALID_STATE', `sandbox ${session.sandbox} does not run`);
      try {
        const answer = await ask(driving, turn, seq);
        const { statusCode = 502 } = answer;
        if (statusCode === 200) {
          const ended = await listen(answer);
          if (ended !== undefined) return ended;
          if (!isTheirs()) throw new Error('it tells of no turn');
          failures = 0;
          continue;
        }
        const refusal = await refusalOf(answer);
        // It has not read what was asked (408: it stood still for a while), or cannot do it yet.
        const isLater = statusCode === 503 || statusCode === 408;
        const isSoon = isLater && (isTheirs() || clock.now() - startedAt < START_MS);
        if (isSoon) continue;
        if (isTheirs()) return await fail(refusal.code, refusal.message);
        throw refusal;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof HttpError) throw error;
        // It would say the same again.
        if (isRuntimeError(error, 'usage'))
          return await fail('agent_failed', 'it says what no event can hold');
        const isLong = !isTheirs() && clock.now() - startedAt >= START_MS;
        if (isLong)
          throw new HttpError(
            503,
            'UNAVAILABLE',
            `the agent does not answer: ${asRuntimeError(error).message}`,
            {},
            { 'retry-after': '2' },
          );
      }
    }
  } finally {
    clearInterval(busy);
  }
}

/** It becomes a part of a path. */
const isName = (id: unknown): id is string => typeof id === 'string' && /^[\w-]{1,128}$/.test(id);

/** What the life before this one has told, where it could only not write down any more that it has. */
function endOf(log: EventLog, id: string): DrivenTo | undefined {
  const told = (types: readonly string[]) =>
    newestOf(log, id, ({ type, data }) => data.executionId === id && types.includes(type))?.data;
  if (told(['done']) === undefined) return undefined;
  const {
    finalText = NOTHING.finalText,
    tokenUsage = NOTHING.tokenUsage,
    ...error
  } = (told(['result', 'error']) ?? {}) as Partial<ExecutionResult>;
  const { code, message } = error as { code?: string; message?: string };
  return {
    status: statusOf(told(['status']) ?? {}),
    result: {
      finalText,
      tokenUsage,
      error: code === undefined || message === undefined ? undefined : { code, message },
    },
  };
}

async function ask(
  { sandboxes, session, execution, signal }: Driving,
  turn: string | undefined,
  seq: number,
): Promise<IncomingMessage> {
  const to = { id: session.sandbox, port: QUERY_PORT, token: sandboxes.agentToken(session.sandbox) };
  const path = '/_runtime/agent/messages';
  if (turn !== undefined) {
    const headers = { 'last-event-id': String(seq) };
    return await callInside(
      sandboxes,
      { ...to, method: 'GET', path: `${path}/${turn}/events`, headers },
      signal,
    );
  }
  const { message, metadata } = execution;
  const body = { message, conversation: session.id, stream: true, metadata };
  const headers = { 'idempotency-key': execution.id };
  return await callInside(sandboxes, { ...to, method: 'POST', path, headers, body }, signal);
}

async function refusalOf(answer: IncomingMessage): Promise<HttpError> {
  const { statusCode = 502, headers } = answer;
  const text = await readWhole(answer as AsyncIterable<Buffer>, MOST_ERROR_BYTES).catch(() => '');
  let said: { error?: unknown; code?: unknown } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    // What answers there is no agent.
  }
  const message = typeof said.error === 'string' ? said.error : `the agent answers ${statusCode}`;
  const code = typeof said.code === 'string' ? said.code : 'agent_failed';
  const retry = headers['retry-after'];
  const extras = statusCode === 429 ? { quotaType: 'messages', retryAfter: Number(retry ?? 1) } : {};
  // Its refusal of our own token is no client's.
  const status = statusCode === 401 || statusCode === 403 ? 502 : statusCode;
  return new HttpError(
    status,
    status === 429 ? 'QUOTA_EXCEEDED' : code,
    message,
    extras,
    retry === undefined ? {} : { 'retry-after': retry },
  );
}

/** A disk that is full holds the agent back, and loses nothing. */
async function keep(
  { clock, log, signal }: Driving,
  stream: EventLog,
  events: readonly NewEvent[],
): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      return stream.append(events);
    } catch (error) {
      if (!isRuntimeError(error, 'unavailable')) throw error;
      if (failures === 0) log.error(error.message);
      await clock.sleep(growingWait(WAITS, failures + 1), signal);
    }
  }
}
