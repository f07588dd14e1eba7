import type { Owner } from '../../../base/owner.ts';

/** How the query program is started; made from the kind's launch by `prepareProgram`. */
export interface ProgramLaunch {
  /** The wrapper that makes the state read-only comes first, where there is one. */
  readonly argv: readonly string[];
  /** Whole, without credentials and without what `BOT_TYPE`, `THE0_QUERY_PORT` and `QUERY_*` say. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Text for file descriptor 3; `go` follows at once. */
  readonly control: string | undefined;
  readonly user: Owner | undefined;
}
