/**
 * Names of instances. The name is the identity that the engine keeps unique, so no two of them may meet: a bot's id may hold
 * every character that a name may, hence the different beginnings, with the time first.
 */
export const names = {
  /** The one instance of a realtime bot. */
  bot: (bot: string) => `rt-${bot}`,
  /** The run of a scheduled bot at `time` (milliseconds). */
  run: (bot: string, time: number) => `rtr-${time.toString(36)}-${bot}`,
  /** One that has ended, kept for its logs. */
  ended: (bot: string, endedAt: number) => `rtd-${endedAt.toString(36)}-${bot}`,
  /** `id`: letters and digits. */
  query: (bot: string, id: string) => `rtq-${id}-${bot}`,
  /** A worker that waits for the query of whatever bot. */
  worker: (id: string) => `rtw-${id}`,
  sandbox: (bot: string, id: string) => `rts-${id}-${bot}`,
} as const;
