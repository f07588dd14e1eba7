import type { Readable, Writable } from 'node:stream';

/** One command of the binary. One file per command in this folder: flags in, one call, output out. */
export interface Command {
  /** `state restore` has the name `restore` in the command group `state`. */
  readonly name: string;
  /** One line for `--help` and completion. */
  readonly summary: string;
  /** How the positional arguments read in `--help`: `BOT [PATH]`. Empty: the command takes none. */
  readonly positionals: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
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
  load(): Promise<Command | CommandGroup>;
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
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** `isTTY`: people look at it, so colours, progress and tables are welcome. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
