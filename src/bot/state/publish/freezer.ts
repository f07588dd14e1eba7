/** Stops and resumes the bot's processes; whoever implements it resumes them by itself after 200 ms. */
export interface Freezer {
  /** False: they could not be stopped. */
  freeze(): Promise<boolean>;
  thaw(): Promise<void>;
}
