export type QueryOutcome =
  | 'ok'
  | 'error'
  | 'invalid'
  | 'unauthorized'
  | 'too-large'
  | 'busy'
  | 'unavailable'
  | 'timeout'
  | 'abandoned';

/** A query that the runtime itself answers: with this status, and the message in an error object. */
export class QueryError extends Error {
  readonly status: number;
  readonly outcome: QueryOutcome;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    outcome: QueryOutcome,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.outcome = outcome;
    this.headers = headers;
  }
}
