/** What configuration needs to know of a runtime kind. */
export interface KnownKind {
  readonly id: string;
  readonly aliases: readonly string[];
  /** `text`: the entrypoint is a command or a program's text, no path; `none`: it needs none. */
  readonly entrypoint: 'file' | 'text' | 'none';
  /** Its programs can have a `message` entrypoint. */
  readonly answersMessages?: boolean;
  /** Set: what it runs is an agent. */
  readonly agent?: object;
  /** Why there is no such kind, where its manifest is broken: lines with file and line. */
  readonly problems?: readonly string[];
}
