/** What a task declares: its name, what it reads and writes, and words for its script. Contract, section 8. */
export interface Task {
  readonly name: string;
  readonly inputs: readonly TaskInput[];
  readonly outputs: readonly TaskOutput[];
  /** Words for a script, with the placeholders of commands. */
  readonly args: readonly string[];
}

export interface TaskInput {
  readonly id: string;
  /** Relative to the code path. For an input with a key: where it is put. Undefined: the input is a value. */
  readonly path: string | undefined;
  /** Key in the code bucket; undefined: the file is part of the code. */
  readonly key: string | undefined;
  readonly sha256: string | undefined;
  /** What JSON can hold but null; undefined where there is a path. */
  readonly value: unknown;
}

export interface TaskOutput {
  readonly id: string;
  /** Relative to the code path. */
  readonly path: string;
  /** Name under `<bot>/outputs/` of the state bucket; undefined: not uploaded. */
  readonly key: string | undefined;
}
