/** What has happened, before it has a number. */
export interface NewEvent {
  /** `execution.started`: letters, digits, dots and dashes. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** In a stream: numbers rise by one, and none is used twice. `data.timestamp`: milliseconds. */
export interface StoredEvent extends NewEvent {
  readonly id: number;
}

/** An event as it is sent. */
export interface Frame {
  readonly id: number;
  readonly text: string;
}

/** As clients read it: one `event:` line, one `data:` line, LF (docs/sandboxes.md, "Events"). Without an id it moves no cursor. */
export function encodeFrame({ id, type, data }: NewEvent & { readonly id?: number }): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
