/** An environment, as `process.env` has it. */
export type Env = Readonly<Record<string, string | undefined>>;
