import { escapeControls } from '../../../base/escapeControls.ts';
/** A line as it is kept: ours, or the bot's own JSON object with a `timestamp`. */
export interface KeptLine {
  readonly timestamp?: unknown;
  readonly stream?: unknown;
  readonly message?: unknown;
}

/** Undefined for what is not a JSON object. */
export function parseKeptLine(text: string): KeptLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is from `since` (milliseconds) on, as far as one can tell. */
export function isSince(line: KeptLine | undefined, since: number): boolean {
  return !(typeof line?.timestamp === 'string' && Date.parse(line.timestamp) < since);
}

/** `timestamp stream message`, one line of text; a bot's own object without a message is shown whole. */
export function formatLine(line: KeptLine | undefined, text: string): string {
  const { timestamp, stream, message } = line ?? {};
  const columns = [
    typeof timestamp === 'string' || typeof timestamp === 'number' ? String(timestamp) : '-',
    typeof stream === 'string' ? stream : '-',
    typeof message === 'string' ? message : text,
  ];
  // What a bot printed must not move an operator's cursor, let alone more.
  return escapeControls(columns.join(' '));
}
