import { systemCode } from '../../../base/errors.ts';
import { type Answered, excerpt, parseAnswer } from '../../../bot/answers/answer.ts';
import {
  MAX_QUERY_STRING_BYTES,
  mergeParameters,
  parseParameters,
  type Target,
} from '../../../bot/answers/parameters.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import { AnswerError } from '../http/answerHead.ts';
import type { ProgramAnswer } from '../http/answerReader.ts';
import type { PerQuery } from '../once/perQuery.ts';
import type { QueryProgram } from '../program/queryProgram.ts';

const MAX_PATH_BYTES = 4 * 1024;

export interface QueryRequest {
  readonly target: Target;
  /** The parameters of the body, where it has one. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly signal: AbortSignal;
}

/** One query, answered by the program as it listens or as it is run for this query. Throws `QueryError`. */
export async function answerQuery(
  program: QueryProgram,
  perQuery: PerQuery,
  { target, body, signal }: QueryRequest,
): Promise<Answered> {
  const queryString = body === undefined ? target.queryString : mergeParameters(target.queryString, body);
  if (queryString.length > MAX_QUERY_STRING_BYTES) {
    throw new QueryError(413, 'too-large', `the parameters are larger than ${MAX_QUERY_STRING_BYTES} bytes`);
  }
  if (target.path.length > MAX_PATH_BYTES) throw new QueryError(414, 'too-large', 'the path is too long');
  if (program.state === 'per-query') {
    const params = { ...parseParameters(target.queryString), ...body };
    return perQuery.answer({ path: target.path, params, signal });
  }
  const address = queryString === '' ? target.path : `${target.path}?${queryString}`;
  return checked(await asked(program, address, signal));
}

async function asked(program: QueryProgram, address: string, signal: AbortSignal): Promise<ProgramAnswer> {
  try {
    return await program.ask(address, signal);
  } catch (error) {
    if (error instanceof QueryError) throw error;
    const what = error instanceof AnswerError ? error.message : `failed (${systemCode(error) ?? 'closed'})`;
    throw new QueryError(502, 'unavailable', `the query program's answer ${what}`);
  }
}

/** Follows the envelope: as it is. Does not: an error that keeps the program's status where that is one of an error. */
function checked({ status, body }: ProgramAnswer): Answered {
  const answer = parseAnswer(body);
  if (answer !== undefined) return { status, body, outcome: answer.status };
  throw new QueryError(
    status >= 400 ? status : 502,
    'error',
    `the query program answered ${excerpt(body)} (status ${status}), which is not an answer object`,
  );
}
