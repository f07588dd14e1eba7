/** What the final sync of a life has saved. */
export interface FinishOutcome {
  readonly stateSaved: boolean;
  readonly logsSaved: boolean;
  /** In words, when something was not saved. */
  readonly reason: string | undefined;
}
