import type { Readable, Writable } from 'node:stream';

/**
 * The room of a command line: from words to an exit code.
 *
 *   1. `dispatch`           finds the command, and loads only its file
 *   2. `parseCommandLine`   its flags and arguments, checked
 *   3. the command runs; `stopSignal` is its signal, `output` where it prints
 *   4. `runProgram`         the exit code, and for an error its lines on stderr (`describeError`)
 */

/** One command of the binary. One file per command in this folder: flags in, one call, output out. */
export interface Command {
  /** `state restore` has the name `restore` in the command group `state`. */
  readonly name: string;
  /** One line for `--help` and completion. */
  readonly summary: string;
  /**
   * How the positional arguments read in `--help`, and how many there may be: `BOT [PATH]` one or two, `[K=V…]`
   * any number. Empty: none.
   */
  readonly positionals: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Commands below one that also runs by itself: their names are no positionals of it. */
  readonly below?: Readonly<Record<string, CommandLoader>>;
  /** More for `--help`: examples, exit codes, variables. */
  readonly details?: string;
  /** Resolves with the exit code; throws a RuntimeError. */
  run(invocation: Invocation): Promise<number>;
}

/** A command that only has commands below it: `state`, `daemon`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: Readonly<Record<string, CommandLoader>>;
}

/** Loads only what the command at hand uses; the summary stands here so that `--help` loads nothing. */
export interface CommandLoader {
  readonly summary: string;
  /** Started by the runtime itself: neither in `--help` nor in completion. */
  readonly hidden?: boolean;
  load(): Promise<Command | CommandGroup>;
}

export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return 'commands' in entry;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** One line. */
  readonly description: string;
  /** Shown as `--since T`. */
  readonly value?: string;
}

export interface Invocation {
  readonly positionals: readonly string[];
  /** Flags as given: strings, booleans, or lists for `multiple`. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The root of all commands, for what is generated from them. */
  readonly commands: CommandGroup;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted when whoever reads stdout has gone (`runtime logs --follow | head`). */
  readonly hangup: AbortSignal;
  /** Whoever has not taken what was written until now is not waited for before the exit. */
  abandonStalled(): void;
}

/** `isTTY`: people look at it, so colours, progress and tables are welcome. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
