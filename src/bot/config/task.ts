/** What a task declares: its name and the files it reads and writes. Contract, section 8. */
export interface Task {
  readonly name: string;
  readonly inputs: readonly TaskInput[];
  readonly outputs: readonly TaskOutput[];
}

export interface TaskInput {
  readonly id: string;
  /** Relative to the code path. For an input with a key: where it is put. */
  readonly path: string;
  /** Key in the code bucket; undefined: the file is part of the code. */
  readonly key: string | undefined;
  readonly sha256: string | undefined;
}

export interface TaskOutput {
  readonly id: string;
  /** Relative to the code path. */
  readonly path: string;
  /** Name under `<bot>/outputs/` of the state bucket; undefined: not uploaded. */
  readonly key: string | undefined;
}
