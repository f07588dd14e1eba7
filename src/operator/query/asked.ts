export interface Question {
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Asked {
  /** The answer as it came. */
  readonly bytes: Buffer;
  readonly exitCode: number;
}
