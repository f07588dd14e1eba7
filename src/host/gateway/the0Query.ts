import { isExactNumber } from '../../base/exactJson.ts';
import { parseAnswer } from '../../bot/answers/answer.ts';
import { parameterText } from '../../bot/answers/parameters.ts';
import { QueryError } from '../../bot/answers/queryError.ts';
import { isObject } from '../../bot/config/parsers.ts';

/** A query as the0's clients send it: `POST /query`. */
export interface The0Query {
  readonly bot: string;
  /** Begins with `/`. */
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly timeoutMs: number;
}

const USUAL_TIMEOUT_S = 30;
/** the0's own server cuts longer ones without an answer. */
const MAX_TIMEOUT_S = 300;

/** Throws `QueryError` 400 in the0's words. */
export function parseThe0Query(body: unknown): The0Query {
  if (!isObject(body)) throw invalid('invalid request body: not a JSON object');
  const { bot_id: bot, query_path: path, params, timeout_sec: timeout } = body;
  if (typeof bot !== 'string' || bot === '') throw invalid('bot_id is required');
  if (typeof path !== 'string' || path === '') throw invalid('query_path is required');
  if (params !== undefined && params !== null && !isObject(params)) {
    throw invalid('invalid request body: params is not an object');
  }
  // `30.0` is kept as it was written.
  const given = isExactNumber(timeout) ? Number(parameterText(timeout)) : timeout;
  const seconds = given === undefined || given === null || given === 0 ? USUAL_TIMEOUT_S : given;
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > MAX_TIMEOUT_S) {
    throw invalid(`invalid request body: timeout_sec is not a number from 1 to ${MAX_TIMEOUT_S}`);
  }
  return {
    bot,
    path: escaped(path.startsWith('/') ? path : `/${path}`),
    params: params ?? undefined,
    timeoutMs: seconds * 1000,
  };
}

/** A path in JSON may hold any character; on its way to the bot it is a line of HTTP. What is escaped already stays as it is. */
const escaped = (path: string) =>
  path.toWellFormed().replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));

const invalid = (message: string) => new QueryError(400, 'invalid', message);

/**
 * the0's status for a refusal of ours: 404 for what is not there, 400 for a bad request, 500 for every other one. What a bot itself
 * calls an error is 500, whatever its own status: the0's clients take a 404 for a bot that is not there.
 */
export function the0Status(status: number): number {
  return [400, 401, 404, 405, 413, 503].includes(status) ? status : 500;
}

export interface Timing {
  /** Milliseconds of the process's own clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Milliseconds since the epoch, at the end. */
  readonly now: number;
}

/** The bot's answer with the0's `duration` (nanoseconds) and `timestamp` (RFC 3339 with nanoseconds). Undefined: it is not an answer. */
export function the0Answer(answer: Buffer, timing: Timing): Buffer | undefined {
  const parsed = parseAnswer(answer);
  if (parsed === undefined) return undefined;
  const more = JSON.stringify(timed(timing)).slice(1);
  const own = parsed as Record<string, unknown>;
  if ('duration' in own || 'timestamp' in own) {
    return Buffer.from(JSON.stringify({ ...own, ...timed(timing) }));
  }
  // The bot's own bytes stay as they are: numbers beyond 2^53 as well.
  const text = answer.toString().trimEnd();
  return Buffer.from(`${text.slice(0, text.lastIndexOf('}'))},${more}`);
}

export function the0Error(message: string, timing: Timing): Buffer {
  return Buffer.from(JSON.stringify({ status: 'error', error: message, ...timed(timing) }));
}

function timed({ startedAt, endedAt, now }: Timing): {
  readonly duration: number;
  readonly timestamp: string;
} {
  return {
    duration: Math.round((endedAt - startedAt) * 1e6),
    timestamp: new Date(now).toISOString().replace('Z', '000000Z'),
  };
}
