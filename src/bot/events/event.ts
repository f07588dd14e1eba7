/** What happens to a bot, told to whoever listens. Contract, section 6: the names are public. */
export type EventType =
  | 'start'
  | 'code.pulled'
  | 'state.restored'
  | 'bot.started'
  | 'snapshot.published'
  | 'file.changed'
  | 'query.restarted'
  | 'error'
  | 'bot.exited';

export interface RuntimeEvent {
  readonly type: EventType;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type EventSink = (type: EventType, data: Readonly<Record<string, unknown>>) => void;
