/**
 * The ground floor: what every room may use, and what knows nothing of bots, stores or containers.
 *
 *   errors, secret, log, clock       the values that run through everything
 *   replaceFile, makeFolders, fileLock, readRegularFile   files, each written whole and read with a limit
 *   growingWait, whenAborted         waiting, and giving up
 *   command/                         what a command is: found by name, its flags read, its error turned into an exit code
 *   process/                         the processes of this machine: their table, signals
 *   parts/                           large libraries as parts of the executable, loaded by who needs them
 *   tar/                             a reader of tar archives
 */

/**
 * What can go wrong, as one closed set. The code decides the exit code (contract, section 3) and what a
 * caller does about it; the message says what happened; the hint says what an operator can do.
 */
export type ErrorCode =
  /** The command line is wrong. */
  | 'usage'
  /** Environment, flags or a file of the bot's are wrong. */
  | 'config'
  /** No such object, bot or code. */
  | 'not-found'
  /** Data is damaged, too large or not acceptable. */
  | 'damaged'
  /** The store does not answer, or answers that it cannot now. */
  | 'unavailable'
  /** The store refuses our credentials. */
  | 'denied'
  /** A conditional write lost: somebody else has written. */
  | 'conflict'
  /** Another instance of this bot has taken over. */
  | 'fenced'
  /** The bot ended but its state or logs could not be saved. */
  | 'unsaved'
  /** Refused by policy. */
  | 'refused'
  /** The entrypoint does not exist. */
  | 'no-entrypoint'
  /** The entrypoint exists and the system cannot run it. */
  | 'not-executable'
  /** Stopped by a signal before the bot ran. */
  | 'interrupted'
  /** A defect of the runtime. */
  | 'internal';

const exitCodes: Record<ErrorCode, number> = {
  usage: 64,
  damaged: 65,
  'not-found': 66,
  unavailable: 69,
  denied: 69,
  internal: 70,
  conflict: 70,
  unsaved: 74,
  fenced: 75,
  refused: 77,
  config: 78,
  'not-executable': 126,
  'no-entrypoint': 127,
  interrupted: 143,
};

export interface ErrorDetails {
  /** What was being done, as `noun.verb`: `store.get`, `code.unpack`. */
  readonly op?: string;
  /** The file, object or variable it was done to. */
  readonly path?: string;
  /** Whether the same call may succeed later. Only the adapter that talked to the other side can know. */
  readonly retryable?: boolean;
  /** How long the other side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What an operator can do about it, as a sentence. */
  readonly hint?: string;
  /** Every problem, one line each, where there are several (configuration). */
  readonly problems?: readonly string[];
  readonly cause?: unknown;
}

/** The only error that the runtime's own modules throw on purpose. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: ErrorCode;
  readonly op: string | undefined;
  readonly path: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly hint: string | undefined;
  readonly problems: readonly string[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.op = details.op;
    this.path = details.path;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

export function isRuntimeError(error: unknown, ...codes: ErrorCode[]): error is RuntimeError {
  // By its name: one that comes out of a part of the executable is of that part's own class.
  if (!(error instanceof Error) || error.name !== 'RuntimeError') return false;
  return codes.length === 0 || codes.includes((error as RuntimeError).code);
}

/** Any thrown value as a RuntimeError; what was not thrown on purpose is `internal`. */
export function asRuntimeError(error: unknown): RuntimeError {
  if (isRuntimeError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RuntimeError('internal', message, { cause: error });
}

/** `error.code` of Node's system errors (`ENOENT`, `ECONNREFUSED`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
